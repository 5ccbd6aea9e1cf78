#include "bench/load/load.h"

#include <string_view>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/client/host_client.h"
#include "pipette/client/pipeline_client.h"
#include "pipette/http/uri.h"

namespace pipette::load {
namespace {

constexpr int kFirstBadStatus = 400;

// "http://app:8080" of "http://app:8080/things?n=1"; the whole of what is no URL, which then fails as such.
std::string origin_of(const std::string& url) {
  const Result<http::HttpUrl> parsed = http::parse_http_url(url);
  if (!parsed) return url;
  return (parsed->is_https ? "https://" : "http://") + std::string(parsed->authority);
}

}  // namespace

Load::Load(Runtime& runtime, LoadOptions options) : runtime_(runtime), options_(std::move(options)) { add_askers(); }

void Load::add_askers() {
  const std::string origin = origin_of(options_.request.url);
  if (options_.depth == 1) {
    clients_.push_back(std::make_unique<client::HostClient>(runtime_, origin, client_options()));
    askers_.resize(options_.connections, Asker{clients_.front().get(), {}});
    return;
  }
  for (std::size_t i = 0; i < options_.connections; ++i) {
    clients_.push_back(std::make_unique<client::PipelineClient>(runtime_, origin, client_options()));
    askers_.resize(askers_.size() + options_.depth, Asker{clients_.back().get(), {}});
  }
}

client::PipelineOptions Load::client_options() const {
  client::PipelineOptions options;
  options.user_agent = "pipette_load";
  options.timeout = options_.timeout;
  options.pool_wait_timeout = options_.timeout;
  options.response_header_timeout = options_.timeout;
  options.max_conns_per_host = options_.connections;
  options.max_idle_per_host = options_.connections;
  options.security = options_.security;
  options.max_connections = 1;
  options.max_pending_per_connection = options_.depth;
  return options;
}

Task<> Load::run() {
  async::Loop& loop = runtime_.loop();
  loop.refresh_now();
  begin_ = loop.now();
  end_ = after(begin_, options_.duration);
  {
    async::TaskGroup asking(loop);
    for (Asker& asker : askers_) {
      asking.spawn(options_.rate == 0 ? ask_again_and_again(asker) : keep_to_schedule(asker));
    }
    co_await sleep_until(loop, end_);
    loop.refresh_now();
    report_.took = loop.now() - begin_;
    count_unfinished();
  }
}

Task<> Load::ask_again_and_again(Asker& asker) {
  async::Loop& loop = runtime_.loop();
  while (loop.now() < end_) {
    const bool is_answered = co_await ask(asker, loop.now());
    if (!is_answered) co_await sleep_until(loop, after(loop.now(), kPauseAfterError));
  }
}

Task<> Load::keep_to_schedule(Asker& asker) {
  async::Loop& loop = runtime_.loop();
  for (TimePoint when = due(next_); when < end_; when = due(next_)) {
    ++next_;
    asker.asks_since = when;
    co_await sleep_until(loop, when);
    const bool is_answered = co_await ask(asker, when);
    if (!is_answered) co_await sleep_until(loop, after(loop.now(), kPauseAfterError));
  }
}

// The clock is read when the answer is there: the loop's is of the beginning of a turn, in which many may come.
Task<bool> Load::ask(Asker& asker, TimePoint since) {
  asker.asks_since = since;
  const Result<void> done = co_await asker.client->call(options_.request, asker.response);
  runtime_.loop().refresh_now();
  asker.asks_since = kNever;
  const Duration waited = runtime_.loop().now() - since;
  if (!done) {
    count_failure(done.error(), waited);
    co_return false;
  }
  ++report_.responses;
  report_.body_bytes += asker.response.body.size();
  report_.latency.add(waited);
  if (asker.response.status >= kFirstBadStatus) ++report_.errors["status " + std::to_string(asker.response.status)];
  co_return true;
}

void Load::count_failure(std::error_code error, Duration waited) {
  ++report_.errors[error.message()];
  if (error == std::errc::timed_out) report_.latency.add(waited);
}

void Load::count_unfinished() {
  const TimePoint now = runtime_.loop().now();
  for (const Asker& asker : askers_) {
    if (asker.asks_since >= end_) continue;
    ++report_.unfinished;
    if (options_.rate != 0) report_.latency.add(now - asker.asks_since);
  }
  if (options_.rate == 0) return;
  for (; due(next_) < end_; ++next_) {
    ++report_.unfinished;
    report_.latency.add(now - due(next_));
  }
}

// In steps of a second, so that neither overflow nor rounding adds up.
TimePoint Load::due(std::uint64_t number) const {
  constexpr Duration kSecond = std::chrono::seconds(1);
  const auto seconds = static_cast<Duration::rep>(number / options_.rate);
  const auto rest = static_cast<Duration::rep>(number % options_.rate);
  return begin_ + seconds * kSecond + rest * kSecond / static_cast<Duration::rep>(options_.rate);
}

}  // namespace pipette::load
