#include "bench/end_to_end.h"

#include <stdexcept>

namespace pipette::bench {
namespace {

constexpr std::string_view kEchoedTarget = "/foo/bar?baz=123";

ServerOptions server_options() {
  ServerOptions options;
  options.name = "fasthttp";  // the same octets as the peer
  return options;
}

ClientOptions client_options(std::size_t concurrency) {
  ClientOptions options;
  options.user_agent = "fasthttp";
  options.timeout = std::chrono::seconds(5);
  options.max_conns_per_host = concurrency;  // as the peers: nobody waits for another's connection
  options.max_idle_per_host = concurrency;
  return options;
}

Handler answering(std::string_view body) {
  return [body](RequestCtx& ctx) {
    (void)ctx.set_content_type("text/plain");
    ctx.set_body(body.empty() ? ctx.target() : body);
  };
}

}  // namespace

Task<> Calls::make(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const Result<void> done = co_await client_.call(request_, response_);
    if (!done || response_.status != 200 || response_.body != expected_body_) ++failed_;
  }
}

EndToEnd::EndToEnd(Runtime& runtime, std::string_view address, std::size_t concurrency, std::string_view body)
    : body_(body.empty() ? kEchoedTarget : body),
      server_(answering(body), server_options()),
      worker_(server_, runtime),
      client_(runtime, client_options(concurrency)),
      calls_(concurrency),
      acceptors_(runtime.loop()),
      callers_(runtime.loop()) {
  Result<std::unique_ptr<net::Listener>> listener = runtime.network().listen(*net::Address::parse(address));
  if (!listener) throw std::runtime_error("cannot listen on " + std::string(address));
  address_ = (*listener)->address();
  acceptors_.spawn(worker_.serve(std::move(*listener)));
}

void EndToEnd::start(const std::string& url, std::size_t calls) {
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (!calls_[i]) calls_[i] = std::make_unique<Calls>(client_, url, body_);
    const std::size_t share = calls / calls_.size() + (i < calls % calls_.size() ? 1 : 0);
    callers_.spawn(calls_[i]->make(share));
  }
}

bool EndToEnd::is_complete() const {
  for (const std::unique_ptr<Calls>& calls : calls_) {
    if (calls && calls->failed() > 0) return false;
  }
  return callers_.empty();
}

}  // namespace pipette::bench
