#include "tests/soak/visitors.h"

#include <utility>

namespace pipette::soak {

namespace {

enum class Ask : std::uint8_t { hello, echo, big, blocks };
enum class Way : std::uint8_t { plain, pipelined, kept_tls, resumed_tls, full_tls };

const std::string& big_body() {
  static const std::string body = [] {
    std::string octets(kBigBytes, '\0');
    for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = big_octet(i);
    return octets;
  }();
  return body;
}

client::Request request_for(Ask ask, const std::string& number) {
  client::Request request;
  switch (ask) {
    case Ask::hello:
      request.url = "/hello?n=" + number;
      break;
    case Ask::echo:
      request.method = http::Method::post;
      request.url = "/echo";
      request.body = big_body();
      break;
    case Ask::big:
      request.url = "/big";
      break;
    case Ask::blocks:
      request.url = "/blocks";
      break;
  }
  return request;
}

bool is_right(Ask ask, const std::string& number, const client::Response& response) {
  if (response.status != 200) return false;
  switch (ask) {
    case Ask::hello:
      return response.body == number;
    case Ask::blocks:
      return response.body == "done";
    default:
      return response.body == big_body();
  }
}

tls::Options options_of_security(const Site& site, bool has_tickets) {
  tls::Options options;
  options.trust = site.trust();
  options.session_tickets = has_tickets;
  return options;
}

template <class Options>
Options options_of_client(tls::Security* security) {
  Options options;
  options.retries.max_attempts = 1;
  options.security = security;
  return options;
}

std::string origin_of(const Site& site, bool is_secured) {
  return is_secured ? "https://" + site.secured().to_string() : "http://" + site.plain().to_string();
}

bool is_new_each_time(Way way) { return way == Way::resumed_tls || way == Way::full_tls; }
bool is_over_tls(Way way) { return is_new_each_time(way) || way == Way::kept_tls; }

}  // namespace

struct Visitors::Kind {
  const char* name;
  Way way;
  Ask ask;
  int at_a_time;
};

const std::vector<Visitors::Kind>& Visitors::kinds() {
  static const std::vector<Kind> kKinds = {
      {"plain, kept", Way::plain, Ask::hello, 4},
      {"plain, pipelined", Way::pipelined, Ask::hello, 16},
      {"plain, from a pool's thread", Way::plain, Ask::blocks, 2},
      {"plain, big down", Way::plain, Ask::big, 1},
      {"plain, big both ways", Way::plain, Ask::echo, 1},
      {"TLS, kept", Way::kept_tls, Ask::hello, 4},
      {"TLS, new, resumed", Way::resumed_tls, Ask::hello, 3},
      {"TLS, new, full", Way::full_tls, Ask::hello, 2},
      {"TLS, big down", Way::kept_tls, Ask::big, 1},
      {"TLS, big both ways", Way::kept_tls, Ask::echo, 1},
  };
  return kKinds;
}

Visitors::Visitors(Runtime& runtime, const Site& site, Who who)
    : runtime_(runtime),
      site_(site),
      resuming_(options_of_security(site, true)),
      forgetful_(options_of_security(site, false)),
      pipeline_(runtime, origin_of(site, false), options_of_client<client::PipelineOptions>(nullptr)),
      at_work_(runtime.loop()) {
  for (const Kind& kind : kinds()) {
    if (who == Who::over_tls && !is_over_tls(kind.way)) continue;
    tallies_.push_back({.name = kind.name});
    visits_.emplace_back(&client_for(kind), &kind);
  }
}

Caller& Visitors::client_for(const Kind& kind) {
  if (kind.way == Way::pipelined) return pipeline_;
  const bool is_secured = is_over_tls(kind.way);
  tls::Security* const security = kind.way == Way::full_tls ? &forgetful_ : is_secured ? &resuming_ : nullptr;
  hosts_.push_back({std::make_unique<HostClient>(runtime_, origin_of(site_, is_secured),
                                                 options_of_client<client::ClientOptions>(security)),
                    is_secured});
  return *hosts_.back().client;
}

void Visitors::begin() {
  is_over_ = false;
  for (std::size_t i = 0; i < visits_.size(); ++i) {
    const auto& [client, kind] = visits_[i];
    for (int n = 0; n < kind->at_a_time; ++n) at_work_.spawn(ask_again_and_again(*client, *kind, tallies_[i]));
  }
}

Task<> Visitors::end() {
  is_over_ = true;
  co_await at_work_.join();
  for (const Host& host : hosts_) host.client->close_idle();
  pipeline_.close_idle();
}

Task<> Visitors::ask_again_and_again(Caller& client, const Kind& kind, Tally& tally) {
  client::Response response;
  while (!is_over_) {
    const std::string number = std::to_string(tally.right);
    client::Request request = request_for(kind.ask, number);
    if (is_new_each_time(kind.way)) (void)request.fields.set("Connection", "close");
    const Result<void> called = co_await client.call(request, response);
    if (called && is_right(kind.ask, number, response)) {
      ++tally.right;
    } else {
      tally.add_failure(called ? "a wrong answer, " + std::to_string(response.status) : called.error().message());
    }
  }
}

std::uint64_t Visitors::answered() const {
  std::uint64_t sum = 0;
  for (const Tally& tally : tallies_) sum += tally.right;
  return sum;
}

std::uint64_t Visitors::dials() const {
  std::uint64_t sum = pipeline_.counts().dials;
  for (const Host& host : hosts_) sum += host.client->counts().dials;
  return sum;
}

std::uint64_t Visitors::secured_dials() const {
  std::uint64_t sum = 0;
  for (const Host& host : hosts_) sum += host.is_secured ? host.client->counts().dials : 0;
  return sum;
}

}  // namespace pipette::soak
