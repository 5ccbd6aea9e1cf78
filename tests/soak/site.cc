#include "tests/soak/site.h"

#include <array>
#include <fstream>
#include <stdexcept>
#include <stdlib.h>
#include <system_error>
#include <utility>

#include "pipette/net/body_source.h"
#include "pipette/server/blocking.h"

namespace pipette::soak {

namespace {

using namespace std::chrono_literals;

constexpr WallTime kLongAgo{};
constexpr WallTime kInALongTime = kLongAgo + std::chrono::hours(24 * 365 * 200);

class BigBody final : public BodySource {
 public:
  Task<Result<std::size_t>> read(MutableBytes into) override {
    std::size_t count = 0;
    while (count < into.size() && place_ < kBigBytes) into[count++] = big_octet(place_++);
    co_return count;
  }

 private:
  std::size_t place_ = 0;
};

Task<> stream_endlessly(RequestCtx& ctx) {
  const std::string piece(64 * 1024, 'e');
  for (;;) {
    const Result<void> written = co_await ctx.write(piece);
    if (!written) co_return;
  }
}

void block(RequestCtx& ctx, BlockingCtx& wait) {
  if (wait.sleep_for(1ms) == async::StopReason::none) ctx.set_body("done");
}

std::filesystem::path make_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "pipette_soak_XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp");
  return name;
}

void write_file(const std::filesystem::path& path, const std::string& octets) {
  std::ofstream(path, std::ios::binary) << octets;
}

void expect(const std::expected<void, std::string>& changed, bool is_good) {
  if (changed.has_value() == is_good) return;
  throw std::runtime_error(is_good ? "a good certificate was refused: " + changed.error()
                                   : std::string("a bad certificate was taken"));
}

server::ServerOptions options_with(Duration patience) {
  server::ServerOptions options;
  options.tls_handshake_timeout = patience;
  options.read_header_timeout = patience;
  options.read_timeout = patience;
  options.write_timeout = patience;
  options.idle_timeout = patience;
  options.linger_timeout = patience;
  options.log = [](std::string_view) {};
  return options;
}

}  // namespace

Site::Site(Duration patience)
    : folder_(make_folder()),
      blocks_(blocking(block)),
      server_([this](RequestCtx& ctx) { return answer(ctx); }, options_with(patience)) {
  for (std::size_t i = 0; i < kCertificates; ++i) {
    identities_.push_back(
        authority_.issue({.names = {"localhost", "127.0.0.1"}, .from = kLongAgo, .until = kInALongTime}));
  }
  write_files(identities_[0].chain, identities_[0].key);
  tls::Options options;
  options.identities.push_back(files());
  security_ = std::make_unique<tls::Security>(std::move(options));
  start();
}

Site::~Site() {
  stop_.request_stop();
  if (report_.valid()) report_.wait();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Site::start() {
  std::promise<void> listens;
  std::future<void> listening = listens.get_future();
  app::ServeOptions options;
  options.threads = kLoops;
  options.stops_at_signals = false;
  options.tells_supervisor = false;
  options.stop = stop_.get_token();
  options.on_listening = [this, &listens](const net::Address& address) {
    addresses_.push_back(address);
    if (addresses_.size() == 2) listens.set_value();
  };
  report_ = std::async(std::launch::async, [this, options = std::move(options)] {
    return serve_tcp(server_, {{.address = "127.0.0.1:0"}, {.address = "127.0.0.1:0", .security = security_.get()}},
                     options);
  });
  listening.wait();
}

server::ShutdownReport Site::stop() {
  stop_.request_stop();
  return report_.get();
}

Task<> Site::answer(RequestCtx& ctx) {
  const std::string_view path = ctx.path();
  if (path == "/hello") {
    if (ctx.is_tls() && ctx.tls()->is_resumed) ++resumed_;
    ctx.set_body(ctx.query("n").value_or(""));
  } else if (path == "/echo") {
    ctx.set_body(ctx.body());
  } else if (path == "/big") {
    ctx.set_body_source(std::make_unique<BigBody>(), kBigBytes);
  } else if (path == "/endless") {
    co_await stream_endlessly(ctx);
  } else if (path == "/blocks") {
    co_await (*blocks_.coroutine())(ctx);
  } else {
    ctx.not_found();
  }
}

void Site::change_certificate() {
  const std::uint64_t number = changes_++;
  const tls::Identity& next = identities_[number % kCertificates];
  const tls::Identity& other = identities_[(number + 1) % kCertificates];
  switch (number % 5) {
    case 0:
      write_files(next.chain, next.key);
      return expect(security_->replace({files()}), true);
    case 1:
      write_files(next.chain, other.key);
      return expect(security_->reload(), false);
    case 2:
      write_files(next.chain, next.key);
      return expect(security_->reload(), true);
    case 3:
      return expect(security_->replace({next}), true);
    default:
      return expect(security_->replace({tls::Identity::from_memory("no certificate", next.key)}), false);
  }
}

void Site::write_files(const std::string& chain, const std::string& key) const {
  write_file(folder_ / "chain.pem", chain);
  write_file(folder_ / "key.pem", key);
}

tls::Identity Site::files() const {
  return tls::Identity::from_files((folder_ / "chain.pem").string(), (folder_ / "key.pem").string());
}

}  // namespace pipette::soak
