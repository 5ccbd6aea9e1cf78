// Our client against a server made of octets: any of them, in any pieces, late, cut off, on several connections. Each
// call ends within its deadline, with a response or an error; what the client says is HTTP; nothing is left over.
#include <deque>
#include <memory>
#include <string>

#include "pipette/async/sleep.h"
#include "pipette/lab/fuzz.h"

#include "fuzz/require.h"

namespace pipette::fuzz {
namespace {

using lab::FuzzDecisions;
using lab::FuzzInput;
using lab::FuzzPlayer;
using Connections = std::deque<std::unique_ptr<net::Connection>>;

const ClientOptions kDefaults;

// What was accepted and not asked for yet.
Task<> accept(Lab& lab, net::Listener& listener, Connections& accepted, const bool& is_over) {
  while (!is_over) {
    Result<net::Connected> connected = co_await listener.accept();
    if (connected) {
      accepted.push_back(std::move(connected->connection));
    } else {
      co_await async::sleep_until(lab.world().loop(), after(lab.now(), std::chrono::seconds(1)));
    }
  }
}

Task<> call(Lab& lab, Client& client, const client::Request& request, int& calls) {
  client::Response response;
  for (int i = 0; i < 3; ++i) {
    const TimePoint begin = lab.now();
    const Result<void> done = co_await client.call(request, response);
    require(lab.now() - begin <= kDefaults.timeout);
    if (done) require(response.status >= 200 && response.body.size() <= kDefaults.max_response_body_bytes);
    if (done && request.method == http::Method::head) require(response.body.empty());
    ++calls;
  }
}

void run(Bytes octets) {
  const FuzzInput input = FuzzInput::parse(octets);
  const std::string choices = input.choices();
  FuzzDecisions decisions(choices, 0);
  lab::LabOptions options{.oracle = &decisions};
  if (!choices.empty()) options.freedom = lab::Freedom::explore;

  std::array<client::Request, 3> requests;
  requests[1].method = http::Method::head;
  requests[2].method = http::Method::post;
  requests[2].body = "hello";
  for (client::Request& request : requests) request.url = "http://app/";

  Connections accepted;
  bool is_over = false;
  Lab lab(options);
  const auto listener = lab.host("app").runtime().network().listen(*net::Address::parse("app:80"));
  lab.spawn(accept(lab, **listener, accepted, is_over));
  FuzzPlayer::Open open;
  open.now = [&accepted]() -> Result<std::unique_ptr<net::Connection>> {
    if (accepted.empty()) return fail(Errc::would_block);
    std::unique_ptr<net::Connection> next = std::move(accepted.front());
    accepted.pop_front();
    return next;
  };
  {
    Client client(lab.runtime());
    int calls = 0;
    for (const client::Request& request : requests) lab.spawn(call(lab, client, request, calls));
    lab.settle();
    FuzzPlayer player(lab, decisions, lab::Role::server, std::move(open), "app");
    player.play(input);
    player.wind_up(std::chrono::hours(1));
    player.check();
    require(calls == 9);
  }
  accepted.clear();
  is_over = true;
  (*listener)->close();
  lab.finish();
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return pipette::lab::run_fuzz_target(data, size, pipette::fuzz::run);
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t room, unsigned seed) {
  return pipette::lab::mutate_fuzz_input(data, size, room, seed);
}
