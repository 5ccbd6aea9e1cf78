// The contract suite on secured connections, over pipes in memory: with the buffers of a kernel, and with tiny ones
// that cut every record to pieces.
#include <array>
#include <span>

#include "pipette/inmem/pipe.h"

#include "tests/net/connection_contract.h"
#include "tests/tls/secured.h"

namespace pipette::tls {
namespace {

using net::ConnectionContract;

class SecuredPipe final : public lab::ConnectionTransport {
 public:
  SecuredPipe(const net::ChannelOptions& options, Version version) : options_(options) {
    Options server = server_options();
    server.min_version = server.max_version = version;
    server_.emplace(std::move(server));
    client_.emplace(client_options());
  }

  async::Loop& loop() override { return world_.loop(); }
  bool step() override { return world_.step(); }
  lab::Ends connect() override {
    auto [here, there] = inmem::make_pipe(world_.loop(), options_);
    Handshakes shaken;
    Task<> client = shake_as_client(world_.runtime(), *client_, std::move(here), "app", {}, kNever, shaken);
    Task<> server = shake_as_server(world_.runtime(), *server_, std::move(there), kNever, shaken);
    client.start();
    server.start();
    lab::run_until(*this, [&] { return client.done() && server.done(); });
    return {std::move(shaken.client.value().connection), std::move(shaken.server.value().connection)};
  }

 private:
  net::ChannelOptions options_;
  inmem::World world_;
  std::optional<Security> server_;
  std::optional<Security> client_;
};

std::unique_ptr<lab::ConnectionTransport> make_tls_1_3() {
  return std::make_unique<SecuredPipe>(net::ChannelOptions(), Version::tls_1_3);
}
std::unique_ptr<lab::ConnectionTransport> make_tls_1_2() {
  return std::make_unique<SecuredPipe>(net::ChannelOptions(), Version::tls_1_2);
}
std::unique_ptr<lab::ConnectionTransport> make_tiny() {
  net::ChannelOptions tiny{.max_read_bytes = 3, .max_write_bytes = 5};
  tiny.with_capacity(64);
  return std::make_unique<SecuredPipe>(tiny, Version::tls_1_3);
}

INSTANTIATE_TEST_SUITE_P(Tls, ConnectionContract,
                         testing::Values(lab::ConnectionCase{"Tls13", make_tls_1_3},
                                         lab::ConnectionCase{"Tls12", make_tls_1_2},
                                         lab::ConnectionCase{"TinyPipe", make_tiny}),
                         lab::case_name);

}  // namespace
}  // namespace pipette::tls
