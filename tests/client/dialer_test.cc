// From a name to a connection: the cache, the race, the line, the timeouts, and what is left when it is over.
#include "pipette/client/dialer.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/matchers.h"
#include "pipette/lab/sweep.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using lab::IsError;
using net::Address;
using testing::ElementsAre;

Address address(std::string_view text) { return *Address::parse(text); }

// The lab's own network, which counts look-ups.
class CountingRuntime final : public Runtime, private net::Network {
 public:
  explicit CountingRuntime(Lab& lab) : lender_(lab.runtime()) {}

  const std::vector<std::string>& looked_up() const { return looked_up_; }

  async::Loop& loop() override { return lender_.loop(); }
  net::Network& network() override { return *this; }
  async::Blocking& blocking() override { return lender_.blocking(); }
  Random random(std::string_view stream) override { return lender_.random(stream); }

 private:
  Result<std::unique_ptr<net::Listener>> listen(const Address& at, const net::ListenOptions& options) override {
    return lender_.network().listen(at, options);
  }
  Task<Result<net::Connected>> dial(Address to, net::DialOptions options) override {
    return lender_.network().dial(std::move(to), std::move(options));
  }
  Task<Result<std::vector<Address>>> resolve(std::string host, std::uint16_t port, TimePoint deadline) override {
    looked_up_.push_back(host);
    return lender_.network().resolve(std::move(host), port, deadline);
  }

  Runtime& lender_;
  std::vector<std::string> looked_up_;
};

// A lab with a street of houses, all of which "street" is a name of: each a host with an address and a temper.
//
//   Street street("6silent 4ok");     a: [2001:db8::1], which never answers; b: 10.9.0.2, which does
//   ok | refused | unreachable | silent | slow300: milliseconds
class Street {
 public:
  explicit Street(std::string_view houses = "") {
    inmem::ResolverAnswer answer;
    for (std::size_t at = 0; at < houses.size();) {
      const std::size_t end = std::min(houses.find(' ', at), houses.size());
      answer.addresses.push_back(build(houses.substr(at, end - at)));
      at = end + 1;
    }
    lab_.world().network().set_answer("street", answer);
    hooks_.connect_start = [this](const Address& to) { add(">" + letter(to)); };
    hooks_.connect_done = [this](const Address& to, std::error_code error) { add(letter(to) + " " + word(error)); };
    hooks_.resolve_start = [this](std::string_view host) { add("?" + std::string(host)); };
    hooks_.resolve_done = [this](std::string_view host, std::error_code error) {
      add(std::string(host) + " " + word(error));
    };
  }

  Lab& lab() { return lab_; }
  CountingRuntime& runtime() { return runtime_; }
  const DialHooks& hooks() const { return hooks_; }
  // What the hooks have said: "0 >a, 250 >b", in milliseconds.
  std::string take_story() { return std::exchange(story_, ""); }

  // At "street", as `address` says; its family decides which.
  Address build(std::string_view house) {
    const auto number = static_cast<std::uint8_t>(letters_.size() + 1);
    const bool is_ipv6 = house.starts_with('6');
    const Address at = is_ipv6 ? Address::ipv6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number}, 0)
                               : Address::ipv4({10, 9, 0, number}, 0);
    const std::string name(1, static_cast<char>('a' + letters_.size()));
    letters_[at.to_string()] = name;
    house.remove_prefix(1);
    if (house == "refused") return at;
    listeners_.push_back(*lab_.host(name).runtime().network().listen(at.with_port(80)));
    inmem::Link& link = lab_.link("client", name);
    if (house == "unreachable") guards_.push_back(link.refuse(Errc::network_unreachable));
    if (house == "silent") guards_.push_back(link.add(net::Toxics().with_black_hole()));
    if (house.starts_with("slow")) {
      const auto time = std::chrono::milliseconds(std::stoi(std::string(house.substr(4))));
      guards_.push_back(link.add(net::Toxics().with_latency(time)));
    }
    return at;
  }

  Task<Result<net::Connected>> dial(Dialer& dialer, Duration timeout = 1h, std::string_view to = "street:80") {
    return dialer.dial(address(to), after(lab_.now(), timeout), &hooks_);
  }

  net::Listener& listener(std::size_t index) { return *listeners_[index]; }
  void expect_nothing_left() {
    lab_.settle();
    EXPECT_EQ(lab_.world().scheduler().next_deadline(), kNever);
    EXPECT_THAT(lab_.world().network().open_connections(), ElementsAre());
  }
  // Those that wait to be accepted count too.
  void forget_arrivals() {
    for (const auto& listener : listeners_) {
      while (listener->shed()) {
      }
    }
  }

 private:
  std::string letter(const Address& to) const { return letters_.at(to.with_port(0).to_string()); }
  static std::string word(std::error_code error) {
    if (!error) return "ok";
    if (error == Errc::operation_canceled) return "canceled";
    if (error == Errc::connection_refused) return "refused";
    if (error == Errc::network_unreachable) return "unreachable";
    if (error == Errc::timed_out) return "timed out";
    return error.message();
  }
  void add(const std::string& what) {
    if (!story_.empty()) story_ += ", ";
    story_ +=
        std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(lab_.elapsed()).count()) + " " + what;
  }

  Lab lab_;
  CountingRuntime runtime_{lab_};
  std::map<std::string, std::string> letters_;
  std::vector<inmem::Link::Guard> guards_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  DialHooks hooks_;
  std::string story_;
};

// `wait` behind the start of `task` it is under way, and a nanosecond before; then it is over, with `error`.
void expect_end_at(Lab& lab, Task<Result<net::Connected>>& task, Duration wait, Errc error) {
  lab.advance(wait - 1ns);
  ASSERT_FALSE(task.done());
  lab.advance(1ns);
  ASSERT_TRUE(task.done());
  EXPECT_THAT(task.await_resume(), IsError(error));
}

// ---- the race ----------------------------------------------------------------------------------------------

TEST(DialerRace, IsWonByTheFirstThatConnects) {
  struct Row {
    std::string_view houses;
    std::string_view story;
    Errc error = Errc{};
    Duration attempt_delay = 250ms;
  };
  constexpr Row kRows[] = {
      {"4ok", "0 >a, 0 a ok"},
      {"6ok 4ok", "0 >a, 0 a ok"},
      {"4ok 6ok", "0 >b, 0 b ok"},
      {"6silent 4ok", "0 >a, 250 >b, 250 b ok, 250 a canceled"},
      {"4silent 4ok", "0 >a, 250 >b, 250 b ok, 250 a canceled"},
      {"6slow249 4ok", "0 >a, 249 a ok"},
      {"6slow300 4slow100", "0 >a, 250 >b, 300 a ok, 300 b canceled"},
      {"6slow300 4slow10", "0 >a, 250 >b, 260 b ok, 260 a canceled"},
      {"6refused 4ok", "0 >a, 0 a refused, 0 >b, 0 b ok"},
      {"6unreachable 6refused 4ok", "0 >a, 0 a unreachable, 0 >c, 0 c ok"},
      {"6silent 4refused 6ok", "0 >a, 250 >b, 250 b refused, 250 >c, 250 c ok, 250 a canceled"},
      {"6silent 4slow400 6silent 4ok", "0 >a, 250 >b, 500 >c, 650 b ok, 650 a canceled, 650 c canceled"},
      {"6silent 4ok", "0 >a, 1000 >b, 1000 b ok, 1000 a canceled", Errc{}, 1s},
      {"6refused 4refused", "0 >a, 0 a refused, 0 >b, 0 b refused", Errc::connection_refused},
      {"6unreachable 4refused", "0 >a, 0 a unreachable, 0 >b, 0 b refused", Errc::connection_refused},
      {"6refused 4unreachable", "0 >a, 0 a refused, 0 >b, 0 b unreachable", Errc::connection_refused},
      {"6unreachable 4unreachable", "0 >a, 0 a unreachable, 0 >b, 0 b unreachable", Errc::network_unreachable},
      {"6silent 4refused", "0 >a, 250 >b, 250 b refused, 5000 a timed out", Errc::connect_timeout},
      // One after the other, each with its share of the five seconds.
      {"6silent 4ok", "0 >a, 2500 a timed out, 2500 >b, 2500 b ok", Errc{}, 0ns},
      {"6refused 4silent 4ok", "0 >a, 0 a refused, 0 >b, 2500 b timed out, 2500 >c, 2500 c ok", Errc{}, 0ns},
      {"6silent 4silent", "0 >a, 2500 a timed out, 2500 >b, 5000 b timed out", Errc::connect_timeout, 0ns},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.houses);
    Street street(row.houses);
    DialerOptions options;
    options.attempt_delay = row.attempt_delay;
    Dialer dialer(street.runtime(), options);
    {
      const Result<net::Connected> connected = street.lab().run(street.dial(dialer));
      EXPECT_EQ(connected ? Errc{} : errc_of(connected.error()), row.error);
      EXPECT_EQ(street.lab().world().network().open_connections().size(), connected ? 1U : 0U);
    }
    EXPECT_EQ(street.take_story(), "0 ?street, 0 street ok, " + std::string(row.story));
    EXPECT_EQ(dialer.dialing(), 0U);
    street.forget_arrivals();
    street.expect_nothing_left();
  }
}

TEST(DialerRace, ClosesWhoComesInTheSameMoment) {
  Street street("6slow300 4slow50");
  Dialer dialer(street.runtime());
  const Result<net::Connected> connected = street.lab().run(street.dial(dialer));
  ASSERT_TRUE(connected);
  EXPECT_EQ(street.take_story(), "0 ?street, 0 street ok, 0 >a, 250 >b, 300 a ok, 300 b canceled");
  street.lab().advance(50ms);
  const Result<net::Connected> late = street.listener(1).try_accept();
  ASSERT_TRUE(late);
  std::array<char, 1> octet;
  EXPECT_EQ(late->connection->try_read(octet), 0U) << "in order, not with a reset";
}

TEST(DialerRace, TriesNoMoreThanSoManyAddresses) {
  Street street;
  inmem::ResolverAnswer answer;
  for (std::uint8_t i = 0; i < 200; ++i) answer.addresses.push_back(Address::ipv4({10, 8, 0, i}, 0));
  street.lab().world().network().set_answer("street", answer);
  Dialer dialer(street.runtime());
  int attempts = 0;
  DialHooks hooks;
  hooks.connect_start = [&](const Address&) { ++attempts; };
  EXPECT_THAT(street.lab().run(dialer.dial(address("street:80"), kNever, &hooks)), IsError(Errc::connection_refused));
  EXPECT_EQ(attempts, 32);
}

// ---- the order ---------------------------------------------------------------------------------------------

TEST(Dialer, TakesTheFamiliesInTurn) {
  struct Row {
    std::string_view houses;
    std::vector<std::string_view> orders;  // of the first dial, the second …
    IpFamilies families = IpFamilies::any;
    bool rotate = false;
    std::string_view local = "";
  };
  const Row kRows[] = {
      {"4 4 6 6", {"cadb", "cadb"}},
      {"4 4 4 6", {"dabc"}},
      {"6 6 6 4", {"adbc"}},
      {"4 4 6 6", {"ab"}, IpFamilies::ipv4_only},
      {"4 4 6 6", {"cd"}, IpFamilies::ipv6_only},
      {"4 4", {""}, IpFamilies::ipv6_only},
      {"4 4 4", {"abc", "bca", "cab", "abc"}, IpFamilies::any, true},
      {"4 4 4 6 6", {"daebc", "ebdca", "dceab"}, IpFamilies::any, true},
      {"4 4 6 6", {"cd", "dc"}, IpFamilies::ipv6_only, true},
      {"4 4 6 6", {"ab"}, IpFamilies::any, false, "10.0.0.1:0"},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.houses);
    Street street;
    inmem::ResolverAnswer answer;
    for (const char family : row.houses) {
      if (family != ' ') answer.addresses.push_back(street.build(std::string(1, family) + "refused"));
    }
    street.lab().world().network().set_answer("street", answer);
    DialerOptions options;
    options.families = row.families;
    options.rotate = row.rotate;
    if (!row.local.empty()) options.local_address = address(row.local);
    Dialer dialer(street.runtime(), options);
    for (const std::string_view order : row.orders) {
      (void)street.take_story();
      const Result<net::Connected> connected = street.lab().run(street.dial(dialer));
      EXPECT_THAT(connected, IsError(order.empty() ? Errc::host_not_found : Errc::connection_refused));
      std::string begun;
      const std::string story = street.take_story();
      for (std::size_t at = story.find('>'); at != std::string::npos; at = story.find('>', at + 1)) {
        begun += story[at + 1];
      }
      EXPECT_EQ(begun, order);
    }
  }
}

TEST(Dialer, ResolvesAsItWouldDial) {
  Street street("4ok 6ok");
  Dialer dialer(street.runtime());
  const auto found = street.lab().run(dialer.resolve(address("street:80"), kNever));
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, ElementsAre(address("[2001:db8::2]:80"), address("10.9.0.1:80")));
  const auto literal = street.lab().run(dialer.resolve(address("10.1.1.1:8"), kNever));
  ASSERT_TRUE(literal);
  EXPECT_THAT(*literal, ElementsAre(address("10.1.1.1:8")));
}

TEST(Dialer, LooksUpNeitherAddressesNorPaths) {
  Street street("4ok 6ok");
  const auto path = street.lab().host("app").runtime().network().listen(address("unix:/app"));
  Dialer dialer(street.runtime());
  for (const std::string_view to : {"10.9.0.1:80", "[2001:db8::2]:80", "unix:/app"}) {
    const auto connected = street.lab().run(dialer.dial(address(to), kNever));
    ASSERT_TRUE(connected) << to;
    EXPECT_EQ(connected->remote, address(to));
  }
  EXPECT_THAT(street.runtime().looked_up(), ElementsAre());
  EXPECT_THAT(street.lab().run(dialer.dial(Address(), kNever)), IsError(Errc::bad_address));
  EXPECT_THAT(street.lab().run(dialer.dial(address("unix:/nobody"), kNever)), IsError(Errc::connection_refused));
}

TEST(Dialer, HasNoUseForAnAddressOfAnotherFamily) {
  Street street("4ok 6ok");
  DialerOptions options;
  options.families = IpFamilies::ipv6_only;
  Dialer dialer(street.runtime(), options);
  EXPECT_THAT(street.lab().run(dialer.dial(address("10.9.0.1:80"), kNever)), IsError(Errc::host_not_found));
}

TEST(Dialer, ComesFromItsLocalAddress) {
  Street street("4ok");
  Lab& lab = street.lab();
  const auto second = lab.runtime().network().listen(address("second:0"));
  ASSERT_TRUE(second);
  const Address local = (*second)->address().with_port(4711);
  const auto app = lab.host("app").runtime().network().listen(address("app:80"));
  DialerOptions options;
  options.local_address = local;
  Dialer dialer(street.runtime(), options);
  const auto connected = lab.run(dialer.dial(address("app:80"), kNever));
  ASSERT_TRUE(connected);
  EXPECT_EQ(connected->local, local);
  const auto accepted = (*app)->try_accept();
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->remote, local);

  options.local_address = address("10.77.0.1:0");
  Dialer elsewhere(street.runtime(), options);
  EXPECT_THAT(lab.run(elsewhere.dial(address("app:80"), kNever)), IsError(Errc::address_not_available));
}

// ---- timeouts ----------------------------------------------------------------------------------------------

TEST(Dialer, EndsEachPhaseAtItsTimeout) {
  struct Row {
    std::string_view what;
    std::string_view to;
    Duration deadline;
    Duration end;
    Errc error;
  };
  constexpr Row kRows[] = {
      {"resolving", "silent:80", 1h, 2s, Errc::resolve_timeout},
      {"resolving, the caller ends with the phase", "silent:80", 2s, 2s, Errc::resolve_timeout},
      {"resolving, the caller ends before", "silent:80", 2s - 1ns, 2s - 1ns, Errc::timed_out},
      {"connecting", "street:80", 1h, 3s, Errc::connect_timeout},
      {"connecting to an address", "10.9.0.2:80", 1h, 3s, Errc::connect_timeout},
      {"connecting, the caller ends with the phase", "street:80", 3s, 3s, Errc::connect_timeout},
      {"connecting, the caller ends before", "street:80", 3s - 1ns, 3s - 1ns, Errc::timed_out},
      {"both", "late:80", 1h, 4s, Errc::connect_timeout},
      {"both, the caller ends before", "late:80", 3s, 3s, Errc::timed_out},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.what);
    Street street("6silent 4silent");
    street.lab().world().network().set_answer("silent", {.addresses = {}, .is_silent = true});
    street.lab().world().network().set_answer("late", {.addresses = {address("10.9.0.2:0")}, .delay = 1s});
    DialerOptions options;
    options.resolve_timeout = 2s;
    options.connect_timeout = 3s;
    Dialer dialer(street.runtime(), options);
    {
      auto task = street.dial(dialer, row.deadline, row.to);
      task.start();
      expect_end_at(street.lab(), task, row.end, row.error);
    }
    street.expect_nothing_left();
  }
}

TEST(Dialer, EndsAWaitForAPlaceAtItsTimeout) {
  Street street("4silent");
  DialerOptions options;
  options.max_concurrent = 1;
  options.connect_timeout = 3s;
  Dialer dialer(street.runtime(), options);
  {
    auto first = street.dial(dialer);
    auto second = street.dial(dialer, 2s);
    auto third = street.dial(dialer);
    first.start();
    second.start();
    street.lab().advance(1s);
    third.start();
    EXPECT_EQ(dialer.dialing(), 1U);
    expect_end_at(street.lab(), second, 1s, Errc::timed_out);
    expect_end_at(street.lab(), first, 1s, Errc::connect_timeout);
    EXPECT_EQ(dialer.dialing(), 1U) << "the third has the place now";
    expect_end_at(street.lab(), third, 1s, Errc::connect_timeout);
  }
  street.expect_nothing_left();
}

TEST(Dialer, BeginsNothingBehindTheDeadline) {
  Street street("4ok");
  Dialer dialer(street.runtime());
  EXPECT_THAT(street.lab().run(dialer.dial(address("street:80"), street.lab().now())), IsError(Errc::timed_out));
  EXPECT_THAT(street.runtime().looked_up(), ElementsAre());
}

// ---- the cache ---------------------------------------------------------------------------------------------

class DialerCache : public testing::Test {
 protected:
  // Whether a dial of `host` looks it up.
  bool looks_up(Dialer& dialer, const std::string& host) {
    const std::size_t before = street_.runtime().looked_up().size();
    (void)lab_.run(dialer.dial(Address::name(host, 80), kNever));
    return street_.runtime().looked_up().size() > before;
  }
  void answer(const std::string& host, inmem::ResolverAnswer what) {
    lab_.world().network().set_answer(host, std::move(what));
  }
  static inmem::ResolverAnswer at_once() { return {.addresses = {address("10.8.0.1:0")}}; }
  static inmem::ResolverAnswer after_a_second() { return {.addresses = {address("10.8.0.1:0")}, .delay = 1s}; }

  Street street_{"4ok"};
  Lab& lab_ = street_.lab();
};

TEST_F(DialerCache, KeepsAnAnswerForItsTime) {
  Dialer dialer(street_.runtime());
  EXPECT_TRUE(looks_up(dialer, "street"));
  EXPECT_FALSE(looks_up(dialer, "street"));
  EXPECT_FALSE(looks_up(dialer, "STREET")) << "names are the same in any case";
  lab_.advance(60s - 1ns);
  EXPECT_FALSE(looks_up(dialer, "street"));
  lab_.advance(1ns);
  EXPECT_TRUE(looks_up(dialer, "street")) << "use makes it no younger";
  EXPECT_FALSE(looks_up(dialer, "street"));
}

TEST_F(DialerCache, KeepsNothingWithoutATime) {
  DialerOptions options;
  options.dns_ttl = 0s;
  Dialer dialer(street_.runtime(), options);
  EXPECT_TRUE(looks_up(dialer, "street"));
  EXPECT_TRUE(looks_up(dialer, "street"));
  EXPECT_EQ(dialer.cached_hosts(), 0U);
}

TEST_F(DialerCache, KeepsNoFailure) {
  Dialer dialer(street_.runtime());
  EXPECT_TRUE(looks_up(dialer, "nowhere"));
  EXPECT_TRUE(looks_up(dialer, "nowhere"));
  EXPECT_EQ(dialer.cached_hosts(), 0U);
  EXPECT_THAT(lab_.run(dialer.dial(address("nowhere:80"), kNever)), IsError(Errc::host_not_found));
}

TEST_F(DialerCache, DropsTheHostNotAskedForLongest) {
  DialerOptions options;
  options.max_cached_hosts = 2;
  Dialer dialer(street_.runtime(), options);
  for (const char* host : {"one", "two", "three"}) answer(host, at_once());
  EXPECT_TRUE(looks_up(dialer, "one"));
  EXPECT_TRUE(looks_up(dialer, "two"));
  EXPECT_FALSE(looks_up(dialer, "one"));
  EXPECT_TRUE(looks_up(dialer, "three"));
  EXPECT_EQ(dialer.cached_hosts(), 2U);
  EXPECT_FALSE(looks_up(dialer, "one"));
  EXPECT_TRUE(looks_up(dialer, "two"));
}

TEST_F(DialerCache, ForgetsWhatItIsTold) {
  Dialer dialer(street_.runtime());
  for (const char* host : {"one", "two"}) {
    answer(host, at_once());
    EXPECT_TRUE(looks_up(dialer, host));
  }
  dialer.forget("One");
  EXPECT_FALSE(looks_up(dialer, "two"));
  EXPECT_TRUE(looks_up(dialer, "one"));
  dialer.forget();
  EXPECT_TRUE(looks_up(dialer, "one"));
  EXPECT_TRUE(looks_up(dialer, "two"));
}

TEST_F(DialerCache, ForgetsAnAnswerThatIsOnItsWay) {
  Dialer dialer(street_.runtime());
  answer("one", after_a_second());
  auto first = dialer.dial(address("one:80"), kNever);
  first.start();
  lab_.advance(500ms);
  dialer.forget("one");
  auto second = dialer.dial(address("one:80"), kNever);
  second.start();
  lab_.advance(500ms);
  EXPECT_TRUE(first.done()) << "who asked before gets it nevertheless";
  EXPECT_FALSE(second.done());
  EXPECT_EQ(dialer.cached_hosts(), 0U);
  lab_.advance(500ms);
  EXPECT_TRUE(second.done());
  EXPECT_EQ(dialer.cached_hosts(), 1U);
  EXPECT_THAT(street_.runtime().looked_up(), ElementsAre("one", "one"));
}

TEST_F(DialerCache, AsksOnceForAllWhoAskTogether) {
  Dialer dialer(street_.runtime());
  answer("one", after_a_second());
  std::vector<Task<Result<net::Connected>>> tasks;
  for (int i = 0; i < 5; ++i) {
    tasks.push_back(dialer.dial(address("one:80"), kNever));
    tasks.back().start();
    lab_.advance(100ms);
  }
  lab_.advance(500ms - 1ns);
  for (auto& task : tasks) EXPECT_FALSE(task.done());
  lab_.advance(1ns);
  for (auto& task : tasks) {
    ASSERT_TRUE(task.done());
    EXPECT_THAT(task.await_resume(), IsError(Errc::connection_refused));
  }
  EXPECT_THAT(street_.runtime().looked_up(), ElementsAre("one"));
}

TEST_F(DialerCache, GoesOnForTheOthersWhenOneLeaves) {
  Dialer dialer(street_.runtime());
  answer("one", after_a_second());
  auto canceled = dialer.dial(address("one:80"), kNever);
  auto hasty = dialer.dial(address("one:80"), after(lab_.now(), 600ms));
  auto patient = dialer.dial(address("one:80"), kNever);
  for (auto* task : {&canceled, &hasty, &patient}) task->start();
  lab_.advance(500ms);
  canceled = {};
  lab_.settle();
  expect_end_at(lab_, hasty, 100ms, Errc::timed_out);
  expect_end_at(lab_, patient, 400ms, Errc::connection_refused);
  EXPECT_THAT(street_.runtime().looked_up(), ElementsAre("one"));
}

TEST_F(DialerCache, EndsALookUpThatNobodyWaitsFor) {
  Dialer dialer(street_.runtime());
  answer("one", after_a_second());
  auto first = dialer.dial(address("one:80"), kNever);
  auto second = dialer.dial(address("one:80"), after(lab_.now(), 600ms));
  first.start();
  second.start();
  lab_.settle();
  first = {};
  expect_end_at(lab_, second, 600ms, Errc::timed_out);
  street_.expect_nothing_left();
  EXPECT_EQ(dialer.cached_hosts(), 0U);
}

TEST_F(DialerCache, AsksAnewWhenAnAnswerWasAFailure) {
  Dialer dialer(street_.runtime());
  const auto dial_twice = [](Dialer& with) -> Task<> {
    for (int i = 0; i < 2; ++i) {
      const Result<net::Connected> connected = co_await with.dial(address("nowhere:80"), kNever);
      EXPECT_THAT(connected, IsError(Errc::host_not_found));
    }
  };
  auto waits_too = dialer.dial(address("nowhere:80"), kNever);
  Task<> twice = dial_twice(dialer);
  twice.start();
  waits_too.start();
  lab_.settle();
  EXPECT_TRUE(twice.done());
  EXPECT_THAT(street_.runtime().looked_up(), ElementsAre("nowhere", "nowhere"));
}

TEST_F(DialerCache, TellsOfNothingThatIsCached) {
  Dialer dialer(street_.runtime());
  EXPECT_TRUE(lab_.run(street_.dial(dialer)));
  EXPECT_EQ(street_.take_story(), "0 ?street, 0 street ok, 0 >a, 0 a ok");
  EXPECT_TRUE(lab_.run(street_.dial(dialer)));
  EXPECT_EQ(street_.take_story(), "0 >a, 0 a ok");
}

// ---- the line ----------------------------------------------------------------------------------------------

TEST(DialerLine, IsServedInOrder) {
  Street street("4slow100");
  DialerOptions options;
  options.max_concurrent = 2;
  Dialer dialer(street.runtime(), options);
  std::vector<Task<Result<net::Connected>>> tasks;
  for (int i = 0; i < 6; ++i) {
    tasks.push_back(street.dial(dialer));
    tasks.back().start();
  }
  street.lab().settle();
  EXPECT_EQ(dialer.dialing(), 2U);
  tasks[3] = {};  // leaves the line
  const auto done = [&] {
    std::string text;
    for (auto& task : tasks) text += !task ? '-' : task.done() ? 'x' : '.';
    return text;
  };
  EXPECT_EQ(done(), "...-..");
  street.lab().advance(100ms);
  EXPECT_EQ(done(), "xx.-..");
  street.lab().advance(100ms);
  EXPECT_EQ(done(), "xxx-x.");
  street.lab().advance(100ms);
  EXPECT_EQ(done(), "xxx-xx");
  EXPECT_EQ(dialer.dialing(), 0U);
}

TEST(DialerLine, GoesOnWhenOneDiesThatHasJustGotItsPlace) {
  Street street("4silent");
  DialerOptions options;
  options.max_concurrent = 1;
  Dialer dialer(street.runtime(), options);
  auto first = street.dial(dialer);
  auto second = street.dial(dialer);
  auto third = street.dial(dialer);
  for (auto* task : {&first, &second, &third}) task->start();
  street.lab().settle();
  (void)street.take_story();
  first = {};
  second = {};  // was given the place, and has not run since
  street.lab().settle();
  EXPECT_EQ(street.take_story(), "0 >a");
  EXPECT_EQ(dialer.dialing(), 1U);
  third = {};
  EXPECT_EQ(dialer.dialing(), 0U);
}

TEST(DialerLine, HasNoEndWithoutALimit) {
  Street street("4silent");
  DialerOptions options;
  options.max_concurrent = 0;
  Dialer dialer(street.runtime(), options);
  std::vector<Task<Result<net::Connected>>> tasks;
  for (int i = 0; i < 1500; ++i) {
    tasks.push_back(street.dial(dialer));
    tasks.back().start();
  }
  street.lab().settle();
  EXPECT_EQ(dialer.dialing(), 1500U);
}

// ---- a dial function of one's own --------------------------------------------------------------------------

TEST(DialerFunction, IsGivenWhatDialIsGiven) {
  Street street("4ok");
  std::vector<std::string> dialed;
  DialerOptions options;
  options.connect_timeout = 7s;
  options.dial = [&](Address to, TimePoint deadline) {
    dialed.push_back(to.to_string());
    EXPECT_EQ(deadline, after(street.lab().now(), 7s));
    return street.lab().runtime().network().dial(address("10.9.0.1:80"), deadline);
  };
  Dialer dialer(street.runtime(), options);
  for (const std::string_view to : {"no-such-name:1", "10.1.1.1:1", "unix:/x"}) {
    EXPECT_TRUE(street.lab().run(dialer.dial(address(to), kNever)));
  }
  EXPECT_THAT(dialed, ElementsAre("no-such-name:1", "10.1.1.1:1", "unix:/x"));
  EXPECT_THAT(street.runtime().looked_up(), ElementsAre());
}

TEST(DialerFunction, IsEndedAtItsTimeout) {
  Street street;
  DialerOptions options;
  options.dial = [&](Address, TimePoint) -> Task<Result<net::Connected>> {
    co_await async::sleep_until(street.lab().runtime().loop(), kNever);
    co_return fail(Errc::not_supported);
  };
  Dialer dialer(street.runtime(), options);
  auto task = dialer.dial(address("x:1"), kNever);
  task.start();
  expect_end_at(street.lab(), task, 5s, Errc::connect_timeout);
  street.expect_nothing_left();
}

TEST(DialerFunction, MayThrow) {
  Street street;
  DialerOptions options;
  options.dial = [](Address, TimePoint) -> Task<Result<net::Connected>> {
    throw std::runtime_error("no");
    co_return fail(Errc::not_supported);
  };
  Dialer dialer(street.runtime(), options);
  EXPECT_THROW((void)street.lab().run(dialer.dial(address("x:1"), kNever)), std::runtime_error);
  EXPECT_EQ(dialer.dialing(), 0U);
  street.expect_nothing_left();
}

// ---- what is left ------------------------------------------------------------------------------------------

TEST(Dialer, LeavesNothingWhenADialIsDestroyed) {
  for (const Duration when :
       std::initializer_list<Duration>{0ns, 1ns, 500ms, 999ms, 1s, 1s + 1ns, 1249ms, 1250ms, 1300ms}) {
    SCOPED_TRACE(when.count());
    Street street("6silent 4slow100");
    street.lab().world().network().set_answer(
        "late", {.addresses = {address("[2001:db8::1]:0"), address("10.9.0.2:0")}, .delay = 1s});
    Dialer dialer(street.runtime());
    {
      auto task = street.dial(dialer, 1h, "late:80");
      task.start();
      street.lab().advance(when);
      EXPECT_FALSE(task.done());
    }
    EXPECT_EQ(dialer.dialing(), 0U);
    street.expect_nothing_left();
  }
}

TEST(Dialer, LeavesNothingWhateverFails) {
  const lab::FaultSweep sweep = lab::for_all_faults([](Lab& lab) {
    const auto app = lab.host("app").runtime().network().listen(address("app:80"));
    lab.world().network().set_answer(
        "both", {.addresses = {address("[2001:db8::1]:0"), (*app)->address().with_port(0)}, .delay = 1s});
    Dialer dialer(lab.runtime());
    for (int i = 0; i < 2; ++i) {
      const Result<net::Connected> connected = lab.run(dialer.dial(address("both:80"), after(lab.now(), 10s)));
      if (connected) {
        EXPECT_EQ(connected->remote.port(), 80);
      }
    }
    EXPECT_EQ(dialer.dialing(), 0U);
  });
  EXPECT_GT(sweep.worlds, 20U);
}

}  // namespace
}  // namespace pipette::client
