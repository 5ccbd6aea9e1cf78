#include "pipette/lab/contract/listener_contract.h"

#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;

TEST_P(ListenerContract, TellsWhereItListens) {
  const auto listener = listen();
  const Address address = listener->address();
  EXPECT_NE(address.kind(), Address::Kind::none);
  EXPECT_TRUE(address.kind() == Address::Kind::unix_path || address.port() != 0) << address.to_string();
}

TEST_P(ListenerContract, TellsBothEndsWhoTheyAre) {
  const auto listener = listen();
  const auto [dialed, accepted] = connect(*listener);
  EXPECT_EQ(dialed.remote, listener->address());
  EXPECT_EQ(accepted.local, listener->address());
  EXPECT_EQ(accepted.remote, dialed.local);
}

TEST_P(ListenerContract, AcceptsInTheOrderOfDialing) {
  const auto listener = listen();
  std::vector<Connected> dialed;
  for (int i = 0; i < 3; ++i) dialed.push_back(std::move(*dial(listener->address())));
  for (int i = 0; i < 3; ++i) {
    const Result<Connected> accepted = accept(*listener);
    ASSERT_TRUE(accepted);
    send(*dialed[static_cast<std::size_t>(i)].connection, std::to_string(i));
    EXPECT_EQ(receive(*accepted->connection, 1), std::to_string(i));
  }
}

TEST_P(ListenerContract, SaysWouldBlockWhileNobodyDials) {
  const auto listener = listen();
  EXPECT_THAT(listener->try_accept(), fails_with(Errc::would_block));
}

TEST_P(ListenerContract, WakesWhoWaitsWhenSomebodyDials) {
  const auto listener = listen();
  Wake acceptor;
  listener->wait(acceptor);
  const auto dialed = dial(listener->address());
  run_until([&] { return acceptor.count == 1; });
  EXPECT_TRUE(listener->try_accept());
}

TEST_P(ListenerContract, WakesWhoWaitsForSomebodyThatIsThere) {
  const auto listener = listen();
  const auto dialed = dial(listener->address());
  Wake acceptor;
  listener->wait(acceptor);
  EXPECT_EQ(acceptor.count, 0);
  run_until([&] { return acceptor.count == 1; });
}

TEST_P(ListenerContract, ForgetsAWaiterThatDies) {
  const auto listener = listen();
  {
    Wake acceptor;
    listener->wait(acceptor);
  }
  const auto [dialed, accepted] = connect(*listener);
  EXPECT_TRUE(accepted.connection);
}

TEST_P(ListenerContract, WakesWhoWaitsWhenItCloses) {
  const auto listener = listen();
  const auto accept_one = [](Listener& from) -> Task<Result<Connected>> { co_return co_await from.accept(); };
  Task<Result<Connected>> accepting = accept_one(*listener);
  accepting.start();
  listener->close();
  EXPECT_FALSE(accepting.done()) << "a wake only enqueues";
  run_until([&] { return accepting.done(); });
  EXPECT_THAT(accepting.await_resume(), fails_with(Errc::listener_closed));
}

TEST_P(ListenerContract, StaysClosed) {
  const auto listener = listen();
  listener->close();
  listener->close();
  EXPECT_THAT(listener->try_accept(), fails_with(Errc::listener_closed));
  Wake acceptor;
  listener->wait(acceptor);
  run_until([&] { return acceptor.count == 1; });
}

TEST_P(ListenerContract, FreesItsAddressWhenItCloses) {
  const auto listener = listen();
  const Address address = listener->address();
  EXPECT_THAT(network().listen(address), fails_with(std::errc::address_in_use));
  listener->close();
  EXPECT_TRUE(network().listen(address));
}

TEST_P(ListenerContract, DropsWhatNobodyAcceptedWhenItCloses) {
  const auto listener = listen();
  const auto dialed = dial(listener->address());
  ASSERT_TRUE(dialed);
  listener->close();
  const Result<std::size_t> end = read_to_end(*dialed->connection);
  if (end) {
    EXPECT_TRUE(transport().may_hide_resets());
  } else {
    EXPECT_THAT(end, fails_with(std::errc::connection_reset));
  }
}

TEST_P(ListenerContract, IsOutlivedByWhatItAccepted) {
  auto listener = listen();
  const auto [dialed, accepted] = connect(*listener);
  listener.reset();
  send(*dialed.connection, "x");
  EXPECT_EQ(receive(*accepted.connection, 1), "x");
}

TEST_P(ListenerContract, GoesOnAfterDescriptorsHaveRunOut) {
  const auto listener = listen();
  const auto dialed = dial(listener->address());
  ASSERT_TRUE(dialed);
  transport().exhaust_descriptors(listener->address());
  const Result<Connected> failed = accept(*listener);
  transport().restore_descriptors();
  EXPECT_THAT(failed, fails_with(std::errc::too_many_files_open));

  Wake acceptor;
  listener->wait(acceptor);  // for the one that is still in the queue: its readiness is not lost
  run_until([&] { return acceptor.count == 1; });
  const Result<Connected> accepted = listener->try_accept();
  ASSERT_TRUE(accepted);
  send(*dialed->connection, "x");
  EXPECT_EQ(receive(*accepted->connection, 1), "x");
}

TEST_P(ListenerContract, ShedsTheOneThatHasWaitedLongest) {
  const auto listener = listen();
  const auto first = dial(listener->address());
  const auto second = dial(listener->address());
  ASSERT_TRUE(first && second);
  transport().exhaust_descriptors(listener->address());
  const Result<Connected> failed = accept(*listener);
  const bool has_shed = listener->shed();
  transport().restore_descriptors();
  ASSERT_FALSE(failed);
  EXPECT_TRUE(is_out_of_descriptors(failed.error())) << failed.error().message();
  EXPECT_TRUE(has_shed);
  const Result<std::size_t> end = read_to_end(*first->connection);
  EXPECT_TRUE(end || end.error() == std::errc::connection_reset) << end.error().message();

  const Result<Connected> accepted = accept(*listener);
  ASSERT_TRUE(accepted);
  send(*second->connection, "x");
  EXPECT_EQ(receive(*accepted->connection, 1), "x");
}

TEST_P(ListenerContract, ShedsNobodyWhereNobodyWaits) {
  const auto listener = listen();
  EXPECT_FALSE(listener->shed());
  const auto [dialed, accepted] = connect(*listener);
  EXPECT_FALSE(listener->shed()) << "who was accepted waits no more";
  send(*dialed.connection, "x");
  EXPECT_EQ(receive(*accepted.connection, 1), "x");
}

TEST_P(ListenerContract, ShedsNobodyOnceItIsClosed) {
  const auto listener = listen();
  const auto dialed = dial(listener->address());
  ASSERT_TRUE(dialed);
  listener->close();
  EXPECT_FALSE(listener->shed());
}

TEST_P(ListenerContract, IsRefusedWhereNobodyListensAnyMore) {
  const Address nobody = listen()->address();
  EXPECT_THAT(dial(nobody), fails_with(std::errc::connection_refused));
}

TEST_P(ListenerContract, IsRefusedAtAPathThatDoesNotExist) {
  const Address nowhere = Address::unix_path("/tmp/pipette-no-such-socket");
  EXPECT_THAT(dial(nowhere), fails_with(std::errc::connection_refused));
}

TEST_P(ListenerContract, TimesOutWhenDialedTooLate) {
  const auto listener = listen();
  EXPECT_THAT(await(network().dial(listener->address(), loop().now())), fails_with(std::errc::timed_out));
  EXPECT_THAT(await(network().resolve("localhost", 80, loop().now())), fails_with(std::errc::timed_out));
  EXPECT_THAT(await(network().resolve("192.0.2.1", 80, loop().now())), fails_with(std::errc::timed_out));
}

TEST_P(ListenerContract, ResolvesLiteralsToThemselves) {
  const auto found = await(network().resolve("192.0.2.1", 80, kNever));
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, testing::ElementsAre(Address::ipv4({192, 0, 2, 1}, 80)));
  EXPECT_THAT(await(network().resolve("no name at all", 80, kNever)), fails_with(Errc::bad_address));
}

}  // namespace

void ListenerContract::SetUpTestSuite() {}

std::unique_ptr<Listener> ListenerContract::listen() {
  auto listener = network().listen(transport().any_address());
  if (!listener) throw std::system_error(listener.error(), "listen");
  return std::move(*listener);
}

Result<Connected> ListenerContract::dial(const Address& address) { return await(network().dial(address, kNever)); }

Result<Connected> ListenerContract::accept(Listener& listener) {
  const auto accept_one = [](Listener& from) -> Task<Result<Connected>> { co_return co_await from.accept(); };
  return await(accept_one(listener));
}

std::pair<Connected, Connected> ListenerContract::connect(Listener& listener) {
  Result<Connected> dialed = dial(listener.address());
  if (!dialed) throw std::system_error(dialed.error(), "dial");
  Result<Connected> accepted = accept(listener);
  if (!accepted) throw std::system_error(accepted.error(), "accept");
  return {std::move(*dialed), std::move(*accepted)};
}

}  // namespace pipette::lab
