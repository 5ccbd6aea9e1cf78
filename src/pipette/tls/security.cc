#include "pipette/tls/security.h"

#include <algorithm>
#include <openssl/x509_vfy.h>
#include <system_error>
#include <utility>

#include "pipette/async/long_work.h"
#include "pipette/net/close.h"
#include "pipette/tls/internal/connection.h"
#include "pipette/tls/internal/generation.h"
#include "pipette/tls/internal/library.h"

namespace pipette::tls {
namespace {

// How long a server stays for what a client that was refused has still on its way: closing before it comes would be a
// reset, which may take along what the client has been told.
constexpr Duration kParting = std::chrono::seconds(1);

// What has been begun on one side.
Task<Result<net::Secured>> shake_hands(std::unique_ptr<Connection> connection, TimePoint deadline, Duration parting) {
  connection->set_deadline(net::Direction::read, deadline);
  connection->set_deadline(net::Direction::write, deadline);
  for (;;) {
    co_await async::LongWork(connection->loop());
    const Result<void> done = connection->try_handshake();
    if (done) break;
    if (done.error() != make_error_code(Errc::would_block)) {
      const TimePoint parted = std::min(deadline, after(connection->loop().now(), parting));
      const std::unique_ptr<net::Connection> inner = connection->part();
      connection.reset();
      if (inner != nullptr) (void)co_await net::close(*inner, parted);
      co_return fail(done.error());
    }
    co_await net::Readiness(*connection, net::Direction::read);
  }
  connection->set_deadline(net::Direction::read, kNever);
  connection->set_deadline(net::Direction::write, kNever);
  net::Secured secured;
  secured.facts = connection->facts();
  secured.connection = std::move(connection);
  co_return secured;
}

// Certificates are looked at with the runtime's clock.
void set_time(SSL* ssl, const async::Loop& loop) {
  X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), std::chrono::system_clock::to_time_t(
                                                      std::chrono::floor<std::chrono::seconds>(loop.wall_now())));
}

}  // namespace

// Ticket keys and sessions survive a reload.
struct Security::Kept {
  Kept(const Options& options)
      : library(options.random),
        tickets(library, options.ticket_secret, options.ticket_key_lifetime),
        sessions(options.max_client_sessions) {}
  Library library;
  TicketKeys tickets;
  SessionStore sessions;
};

Security::Security(Options options) : kept_(std::make_unique<Kept>(options)) {
  current_ =
      std::make_shared<Generation>(kept_->library, options, kept_->tickets, kept_->sessions, kept_->sessions.epoch());
  options_ = std::move(options);
}

Security::~Security() = default;

Task<Result<net::Secured>> Security::server(Runtime& runtime, std::unique_ptr<net::Connection> connection,
                                            TimePoint deadline) {
  std::shared_ptr<Generation> generation = current();
  OwnedSsl ssl = generation->make_server();
  if (ssl == nullptr) co_return fail(Errc::bad_certificate);
  set_time(ssl.get(), runtime.loop());
  auto secured =
      std::make_unique<Connection>(runtime.loop(), std::move(connection), std::move(generation), std::move(ssl));
  Task<Result<net::Secured>> handshake = shake_hands(std::move(secured), deadline, kParting);
  co_return co_await handshake;
}

Task<Result<net::Secured>> Security::client(Runtime& runtime, std::unique_ptr<net::Connection> connection,
                                            net::ServerName name, net::Alpn alpn, TimePoint deadline) {
  std::shared_ptr<Generation> generation = current();
  OwnedSsl ssl = generation->make_client(name, alpn);
  if (ssl == nullptr) co_return fail(Errc::certificate_name_mismatch);  // nothing to compare a certificate with
  set_time(ssl.get(), runtime.loop());
  auto secured =
      std::make_unique<Connection>(runtime.loop(), std::move(connection), std::move(generation), std::move(ssl));
  secured->set_server_name(std::move(name.host));
  Task<Result<net::Secured>> handshake = shake_hands(std::move(secured), deadline, Duration::zero());
  co_return co_await handshake;
}

std::expected<void, std::string> Security::reload() {
  const std::lock_guard lock(reloading_);
  return adopt(options_);
}

std::expected<void, std::string> Security::replace(std::vector<Identity> identities) {
  const std::lock_guard lock(reloading_);
  Options options = options_;
  options.identities = std::move(identities);
  return adopt(std::move(options));
}

void Security::reseed(const Random& random) { kept_->library.reseed(random); }

std::shared_ptr<Generation> Security::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::expected<void, std::string> Security::adopt(Options options) {
  const std::uint64_t epoch = kept_->sessions.epoch() + 1;
  std::shared_ptr<Generation> next;
  try {
    next = std::make_shared<Generation>(kept_->library, options, kept_->tickets, kept_->sessions, epoch);
  } catch (const std::system_error& error) {
    return std::unexpected(error.what());
  }
  options_ = std::move(options);
  kept_->sessions.begin_epoch(epoch);  // servers of the old one may not be trusted any more
  const std::lock_guard lock(mutex_);
  current_ = std::move(next);
  return {};
}

}  // namespace pipette::tls
