#include "pipette/client/client.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/client/cookie_jar.h"
#include "pipette/client/decode.h"
#include "pipette/client/default_fields.h"
#include "pipette/client/redirect.h"
#include "pipette/client/stream_state.h"
#include "pipette/http/auth.h"
#include "pipette/http/field_list.h"
#include "pipette/http/percent.h"

namespace pipette::client {
namespace {

// ---- credentials in URLs

struct WithoutCredentials {
  std::string url;
  std::string authorization;  // a field value; empty: there were none
};

// http://user:password@host/ --> http://host/ and Basic credentials.
Result<WithoutCredentials> without_credentials(const std::string& url) {
  WithoutCredentials split{url, {}};
  const Result<http::UriView> parsed = http::parse_uri(url);
  if (!parsed || !parsed->userinfo) return split;
  const std::string_view info = *parsed->userinfo;
  const std::size_t colon = info.find(':');
  const Result<std::string> user = http::percent_decode(info.substr(0, colon));
  const Result<std::string> password =
      http::percent_decode(colon == std::string_view::npos ? std::string_view() : info.substr(colon + 1));
  if (!user || !password) return fail(Errc::bad_uri);
  const Result<void> written = http::write_basic({*user, *password}, split.authorization);
  if (!written) return fail(written.error());
  split.url.erase(static_cast<std::size_t>(info.data() - url.data()), info.size() + 1);
  return split;
}

// Whether all protocols that the response names stand in the request.
bool was_offered(const Request& request, const Response& response) {
  bool all = response.fields.contains("Upgrade");
  const Result<void> read = http::for_each_element(response.fields.view(), "Upgrade", [&](std::string_view protocol) {
    all = all && http::list_contains(request.fields.view(), "Upgrade", protocol);
  });
  return read && all;
}

bool may_have_credentials(std::string_view url) { return url.find('@') != std::string_view::npos; }

}  // namespace

// ---- calls -----------------------------------------------------------------------------------------------

Task<Result<void>> Client::call(const Request& request, Response& response, const CallOptions& options) {
  const TimePoint deadline = shared_.begin_call(options);
  const bool is_ordinary = options.is_ordinary() && shared_.ordinary.trace == nullptr &&
                           shared_.options.cookies == nullptr && !may_have_credentials(request.url);
  if (!is_ordinary) return call_with(request, response, deadline, options);
  return Host::exchange(shared_, *this, request, response, deadline, shared_.ordinary, nullptr);
}

Task<Result<void>> Client::call_with(const Request& request, Response& response, TimePoint deadline,
                                     CallOptions options) {
  const Terms terms = shared_.terms_of(options, deadline);
  Task<Result<void>> call = hop_and_follow(request, response, terms);
  Task<Result<void>> watched = shared_.watch(std::move(call), options, terms);
  co_return co_await watched;
}

// The last URL is often the next one too.
Host::Target Client::find(const Request& request) {
  const bool is_last = last_host_ != nullptr && request.url == last_url_text_;
  if (is_last) return {last_host_, http::moved(last_url_, last_url_text_.data(), request.url.data()), {}};
  const Result<http::HttpUrl> url = parse(request.url);
  if (!url) return {nullptr, {}, url.error()};
  return {&host_of(*url), *url, {}};
}

// A request whose target is known.
class Client::Hop final : public Host::Guide {
 public:
  Hop(Host& host, const http::HttpUrl& url) : target_{&host, url, {}} {}
  Host::Target find(const Request& /*request*/) override { return target_; }

 private:
  Host::Target target_;
};

// One request, dressed with what the client knows about its URL.
Task<Result<void>> Client::hop(const Request& request, Response& response, const Terms& given, Host::Kept* kept) {
  const Result<WithoutCredentials> split = without_credentials(request.url);
  if (!split) co_return fail(split.error());
  const Result<http::HttpUrl> url = parse(split->url);
  if (!url) co_return fail(url.error());
  http::OwnedFields overrides;
  if (!split->authorization.empty() && !request.fields.contains("Authorization")) {
    if (const Result<void> set = overrides.set("Authorization", split->authorization); !set) co_return set;
  }
  CookieJar* const jar = shared_.options.cookies;
  if (jar != nullptr) {
    std::string cookies(request.fields.get("Cookie").value_or(""));
    jar->append_cookie_field(*url, shared_.runtime.loop().wall_now(), cookies);
    const Result<void> set = cookies.empty() ? Result<void>() : overrides.set("Cookie", cookies);
    if (!set) co_return set;
  }
  Terms terms = given;
  if (!overrides.empty()) terms.overrides = &overrides;
  RedirectPolicy nowhere;  // that is the caller's to do
  nowhere.max = 0;
  terms.redirects = &nowhere;
  Hop guide(host_of(*url), *url);
  Task<Result<void>> exchange = Host::exchange(shared_, guide, request, response, terms.deadline, terms, kept);
  const Result<void> done = co_await exchange;
  if (kept != nullptr && kept->lease) kept->connection().set_terms(given);
  if (done && jar != nullptr) jar->set_all(*url, response.fields.view(), shared_.runtime.loop().wall_now());
  co_return done;
}

Task<Result<void>> Client::hop_and_follow(const Request& request, Response& response, const Terms& terms) {
  Task<Result<void>> first = hop(request, response, terms, nullptr);
  const Result<void> done = co_await first;
  if (!done || terms.redirects->max <= 0 || !asks_for_redirect(request, response)) co_return done;
  Task<Result<void>> rest = follow(request, response, terms);
  co_return co_await rest;
}

Task<Result<void>> Client::follow(const Request& request, Response& response, const Terms& terms) {
  Request next = request;
  Task<Result<void>> rest = follow_with(next, response, terms, nullptr);
  co_return co_await rest;
}

// `next` is what was asked last.
Task<Result<void>> Client::follow_with(Request& next, Response& response, const Terms& terms, Host::Kept* kept) {
  const Result<WithoutCredentials> split = without_credentials(next.url);
  if (split && !split->authorization.empty()) {
    next.url = split->url;
    if (const Result<void> set = next.fields.set_default("Authorization", split->authorization); !set) co_return set;
  }
  Terms bare = terms;
  if (asks_for_redirect(next, response) && terms.fields != nullptr) {  // so that no origin is told what is another's
    const http::OwnedFields own = next.fields;
    if (const Result<void> added = add_default_fields(next.fields, *terms.fields, own); !added) co_return added;
    bare.fields = nullptr;
  }
  for (int hops = 1; asks_for_redirect(next, response); ++hops) {
    if (kept != nullptr) {
      kept->connection().skip_what_is_there(response);
      kept->end();
    }
    if (const Result<void> led = client::follow(response, hops, *terms.redirects, next); !led) co_return led;
    ++shared_.counts.redirected;
    if (terms.trace != nullptr) {
      TraceEvent event{TraceKind::redirect, shared_.runtime.loop().now(), next.url};
      event.status = response.status;
      terms.tell(event);
    }
    Task<Result<void>> step = hop(next, response, bare, kept);
    const Result<void> done = co_await step;
    if (kept != nullptr && kept->lease) kept->connection().set_terms(terms);
    if (!done) co_return done;
  }
  co_return Result<void>();
}

// ---- streams and upgrades --------------------------------------------------------------------------------

Task<Result<ResponseStream>> Client::stream(Request request, CallOptions options) {
  auto state = std::make_unique<ResponseStream::State>(std::move(request));
  state->terms = shared_.terms_of(options, shared_.begin_call(options));
  state->terms.max_body_bytes = options.max_response_body_bytes.value_or(UINT64_MAX);
  Task<Result<void>> call = open_stream(*state);
  Task<Result<void>> watched = shared_.watch(std::move(call), options, state->terms);
  const Result<void> begun = co_await watched;
  if (!begun) co_return fail(begun.error());
  state->begin_body(options);
  co_return ResponseStream(std::move(state));
}

Task<Result<void>> Client::open_stream(ResponseStream::State& state) {
  Task<Result<void>> first = hop(state.request, state.response, state.terms, &state.kept);
  const Result<void> done = co_await first;
  if (!done || state.terms.redirects->max <= 0) co_return done;
  Task<Result<void>> rest = follow_with(state.request, state.response, state.terms, &state.kept);
  co_return co_await rest;
}

Task<Result<Upgraded>> Client::upgrade(Request request, CallOptions options) {
  Upgraded upgraded;
  Terms terms = shared_.terms_of(options, shared_.begin_call(options));
  terms.wants_upgrade = true;
  Task<Result<void>> call = switch_protocol(request, upgraded, terms);
  Task<Result<void>> watched = shared_.watch(std::move(call), options, terms);
  const Result<void> done = co_await watched;
  if (!done) co_return fail(done.error());
  co_return upgraded;
}

Task<Result<void>> Client::switch_protocol(Request& request, Upgraded& upgraded, const Terms& terms) {
  if (!request.fields.contains("Upgrade")) co_return fail(Errc::bad_field_value);
  if (!http::list_contains(request.fields.view(), http::FieldName::connection, "upgrade")) {
    if (const Result<void> added = request.fields.add("Connection", "Upgrade"); !added) co_return added;
  }
  Host::Kept kept;
  Task<Result<void>> asking = hop(request, upgraded.response, terms, &kept);
  Result<void> done = co_await asking;
  if (!done) co_return done;
  kept.connection().set_terms(terms);
  if (upgraded.response.status == 101) {
    // The other protocol begins behind a whole request (RFC 9110 §7.8).
    const bool is_whole = kept.connection().is_complete();
    if (!is_whole || !was_offered(request, upgraded.response)) co_return fail(Errc::unexpected_response);
    upgraded.connection = kept.connection().take_stream();
    co_return done;
  }
  done = co_await kept.connection().receive_body(upgraded.response);
  if (done) kept.end();
  if (done && asks_for_codings(request, terms)) done = decode(upgraded.response, terms.max_body_bytes);
  co_return done;
}

// ---- connections -----------------------------------------------------------------------------------------

Result<http::HttpUrl> Client::parse(std::string_view text) {
  if (text == last_url_text_ && !text.empty()) return http::moved(last_url_, last_url_text_.data(), text.data());
  const Result<http::HttpUrl> url = http::parse_http_url(text);
  if (url) {
    last_url_text_ = text;
    last_url_ = http::moved(*url, text.data(), last_url_text_.data());
    last_host_ = nullptr;
  }
  return url;
}

// Of the URL that was parsed last. A host without work is forgotten when another one is met for the first time.
Host& Client::host_of(const http::HttpUrl& url) {
  if (last_host_ != nullptr) return *last_host_;
  const std::pair<bool, std::string_view> origin(url.is_https, url.authority);
  auto found = hosts_.find(origin);
  if (found == hosts_.end()) {
    std::erase_if(hosts_, [](const auto& each) { return each.second.calls() == 0 && each.second.pool().open() == 0; });
    found = hosts_.try_emplace(Origin(origin), shared_).first;
  }
  last_host_ = &found->second;
  return *last_host_;
}

std::size_t Client::pending() const {
  std::size_t count = 0;
  for (const auto& [origin, host] : hosts_) count += host.calls();
  return count;
}

std::size_t Client::open_connections() const {
  std::size_t count = 0;
  for (const auto& [origin, host] : hosts_) count += host.pool().open();
  return count;
}

std::size_t Client::idle_connections() const {
  std::size_t count = 0;
  for (const auto& [origin, host] : hosts_) count += host.pool().idle();
  return count;
}

void Client::close_idle() {
  for (auto& [origin, host] : hosts_) host.close_idle();
}

}  // namespace pipette::client
