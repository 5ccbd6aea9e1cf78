// The contract suite on secured connections over the kernel's sockets.
#include <memory>
#include <utility>

#include "tests/net/connection_contract.h"
#include "tests/tcp/socket_transport.h"
#include "tests/tls/secured.h"

namespace pipette::tls {
namespace {

using net::ConnectionContract;

class SecuredSockets final : public lab::ConnectionTransport {
 public:
  SecuredSockets(std::unique_ptr<lab::Transport> sockets, Version version) : sockets_(std::move(sockets)) {
    Options server;
    server.identities = {issue_for_good({"app"})};
    server.min_version = server.max_version = version;
    server.session_tickets =
        false;  // one that comes behind the handshake wakes a reader for nothing, and wakes are counted
    server_ = std::make_unique<Security>(std::move(server));
    Options client;
    client.trust = test_authority().trust();
    client_ = std::make_unique<Security>(std::move(client));
  }

  async::Loop& loop() override { return sockets_->loop(); }
  bool step() override { return sockets_->step(); }
  bool may_hide_resets() const override { return sockets_->may_hide_resets(); }

  lab::Ends connect() override {
    lab::Ends plain = sockets_->connect();
    Runtime& runtime = sockets_->runtime();
    Handshakes shaken;
    Task<> client = shake_as_client(runtime, *client_, std::move(plain.here), "app", {}, kNever, shaken);
    Task<> server = shake_as_server(runtime, *server_, std::move(plain.there), kNever, shaken);
    client.start();
    server.start();
    lab::run_until(*sockets_, [&] { return client.done() && server.done(); });
    return {std::move(shaken.client.value().connection), std::move(shaken.server.value().connection)};
  }

 private:
  std::unique_ptr<lab::Transport> sockets_;
  std::unique_ptr<Security> server_;
  std::unique_ptr<Security> client_;
};

template <Version kVersion>
std::unique_ptr<lab::ConnectionTransport> make_tcp() {
  return std::make_unique<SecuredSockets>(std::make_unique<test::TcpTransport>("127.0.0.1:0"), kVersion);
}
std::unique_ptr<lab::ConnectionTransport> make_unix() {
  return std::make_unique<SecuredSockets>(std::make_unique<test::UnixTransport>(), Version::tls_1_3);
}

INSTANTIATE_TEST_SUITE_P(Tls, ConnectionContract,
                         testing::Values(lab::ConnectionCase{"Tls13OverTcp", make_tcp<Version::tls_1_3>},
                                         lab::ConnectionCase{"Tls12OverTcp", make_tcp<Version::tls_1_2>},
                                         lab::ConnectionCase{"Tls13OverUnix", make_unix}),
                         lab::case_name);

}  // namespace
}  // namespace pipette::tls
