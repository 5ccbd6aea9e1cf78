// What tcp/ knows of its sockets between two looks, with one end of a pair in the loop and the other in the test's
// hand.
#include <array>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "pipette/tcp/internal/connection.h"
#include "pipette/tcp/internal/loop.h"
#include "pipette/tcp/runtime.h"

#include "tests/net/transport.h"

namespace pipette::tcp {
namespace {

using namespace std::chrono_literals;
using net::Direction;
using net::fails_with;
using net::gives;
using net::Wake;

int count_descriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<int>(std::distance(begin(entries), end(entries)));
}

// A connection, and the bare socket of its peer.
struct Pair {
  explicit Pair(Loop& loop) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    connection = *Connection::adopt(loop, ends[0]);
    peer = ends[1];
  }
  Pair(Pair&& other) noexcept : connection(std::move(other.connection)), peer(std::exchange(other.peer, -1)) {}
  Pair& operator=(Pair&&) = delete;
  ~Pair() { close_peer(); }

  void send(std::string_view text) const { EXPECT_EQ(::send(peer, text.data(), text.size(), 0), std::ssize(text)); }
  void close_peer() {
    if (peer >= 0) ::close(std::exchange(peer, -1));
  }

  std::unique_ptr<Connection> connection;
  int peer = -1;
};

class TcpSocket : public testing::Test {
 protected:
  Loop& loop() { return static_cast<Loop&>(runtime_.loop()); }
  // Looks what has happened, and lets nobody go on.
  void look() { loop().poller().look(Duration::zero()); }
  // One turn of the loop, which need not wait for anything.
  void turn() {
    loop().post([] {});
    loop().turn();
  }

  Runtime runtime_;
  std::array<char, 16> room_{};
  std::array<char, 1> octet_{};
};

// ---- what a short read proves --------------------------------------------------------------------------

TEST_F(TcpSocket, ReadsNothingAfterAShortReadUntilThereIsNews) {
  const Pair pair(loop());
  pair.send("abc");
  EXPECT_THAT(pair.connection->try_read(room_), gives(3));
  pair.send("de");
  EXPECT_THAT(pair.connection->try_read(room_), fails_with(Errc::would_block)) << "the loop has not looked";
  look();
  EXPECT_THAT(pair.connection->try_read(room_), gives(2));
}

TEST_F(TcpSocket, WakesForWhatCameBetweenAShortReadAndTheWait) {
  const Pair pair(loop());
  pair.send("abc");
  look();
  EXPECT_THAT(pair.connection->try_read(room_), gives(3));
  pair.send("de");
  EXPECT_THAT(pair.connection->try_read(room_), fails_with(Errc::would_block));
  Wake reader;
  pair.connection->wait(Direction::read, reader);
  turn();
  EXPECT_EQ(reader.count, 1);
  EXPECT_THAT(pair.connection->try_read(room_), gives(2));
}

TEST_F(TcpSocket, AReadOfOneOctetAsksTheKernel) {
  Pair pair(loop());
  pair.send("abc");
  EXPECT_THAT(pair.connection->try_read(room_), gives(3));
  EXPECT_THAT(pair.connection->try_read(octet_), fails_with(Errc::would_block));
  pair.send("d");
  EXPECT_THAT(pair.connection->try_read(octet_), gives(1));
  EXPECT_THAT(pair.connection->try_read(octet_), fails_with(Errc::would_block));
  pair.close_peer();
  EXPECT_THAT(pair.connection->try_read(octet_), gives(0)) << "so a pool sees that its server has gone";
}

TEST_F(TcpSocket, AReadOfOneOctetAsksAgainSoonAfterALook) {
  Pair pair(loop());
  pair.send("abc");
  EXPECT_THAT(pair.connection->try_read(room_), gives(3));
  turn();
  EXPECT_THAT(pair.connection->try_read(octet_), fails_with(Errc::would_block));
  pair.close_peer();
  while (loop().has_just_looked()) {
  }
  EXPECT_THAT(pair.connection->try_read(octet_), gives(0)) << "without another look";
}

TEST_F(TcpSocket, AFullReadProvesNothing) {
  const Pair pair(loop());
  pair.send(std::string(room_.size(), 'x') + "abc");
  EXPECT_THAT(pair.connection->try_read(room_), gives(room_.size()));
  EXPECT_THAT(pair.connection->try_read(room_), gives(3));
}

TEST_F(TcpSocket, AShortReadProvesNothingOnceThePeerHasFinished) {
  Pair pair(loop());
  pair.send("abc");
  pair.close_peer();
  look();
  EXPECT_THAT(pair.connection->try_read(room_), gives(3));
  EXPECT_THAT(pair.connection->try_read(room_), gives(0));
}

TEST_F(TcpSocket, AShortWriteIsFollowedByNoOtherUntilThereIsRoom) {
  const Pair pair(loop());
  const std::string much(1 << 22, 'x');
  const Bytes piece = much;
  const Result<std::size_t> taken = pair.connection->try_write(std::span(&piece, 1));
  ASSERT_TRUE(taken);
  ASSERT_LT(*taken, much.size());
  EXPECT_THAT(pair.connection->try_write(std::span(&piece, 1)), fails_with(Errc::would_block));
  Wake writer;
  pair.connection->wait(Direction::write, writer);
  look();
  std::string drained(much.size(), '\0');
  EXPECT_EQ(::recv(pair.peer, drained.data(), drained.size(), 0), static_cast<ssize_t>(*taken));
  EXPECT_THAT(pair.connection->try_write(std::span(&piece, 1)), fails_with(Errc::would_block)) << "not looked yet";
  turn();
  EXPECT_EQ(writer.count, 1);
  EXPECT_TRUE(pair.connection->try_write(std::span(&piece, 1)));
}

TEST_F(TcpSocket, RoomIsNoticedThoughNobodyHasWaitedForIt) {
  const Pair pair(loop());
  const std::string much(1 << 22, 'x');
  const Bytes piece = much;
  while (pair.connection->try_write(std::span(&piece, 1))) continue;
  std::string drained(much.size(), '\0');
  EXPECT_GT(::recv(pair.peer, drained.data(), drained.size(), 0), 0);
  look();
  EXPECT_TRUE(pair.connection->try_write(std::span(&piece, 1)));
}

// ---- who is woken --------------------------------------------------------------------------------------

TEST_F(TcpSocket, NewsOutliveAWaiterThatDies) {
  const Pair pair(loop());
  {
    Wake dies_before;
    pair.connection->wait(Direction::read, dies_before);
  }
  pair.send("abc");
  {
    Wake dies_woken;
    pair.connection->wait(Direction::read, dies_woken);
    look();
  }
  Wake reader;
  pair.connection->wait(Direction::read, reader);
  turn();
  EXPECT_EQ(reader.count, 1) << "though nobody has tried";
}

TEST_F(TcpSocket, WakesNobodyForAWakeThatWasHeeded) {
  const Pair pair(loop());
  pair.send("abc");
  look();
  EXPECT_THAT(pair.connection->try_read(room_), gives(3));
  Wake reader;
  pair.connection->wait(Direction::read, reader);
  look();
  EXPECT_EQ(reader.count, 0);
}

// All have news in one batch, and the first that is woken ends the others.
TEST_F(TcpSocket, ThoseThatDieInAWakeAreToldOfNothing) {
  std::vector<Pair> pairs;
  std::vector<std::unique_ptr<Wake>> readers;
  for (int i = 0; i < 20; ++i) {
    pairs.emplace_back(loop());
    readers.push_back(std::make_unique<Wake>());
    pairs.back().connection->wait(Direction::read, *readers.back());
    pairs.back().send("abc");
  }
  int woken = 0;
  for (const auto& reader : readers) {
    reader->action = [&] {
      if (++woken > 1) return;
      for (std::size_t i = 1; i < pairs.size(); ++i) {
        readers[i]->unlink();
        pairs[i].connection.reset();
      }
    };
  }
  turn();
  turn();
  EXPECT_EQ(woken, 1);
}

TEST_F(TcpSocket, ADescriptorWithACopyElsewhereTellsNothingOnceItIsClosed) {
  Pair pair(loop());
  const int copy = ::dup(pair.connection->fd());
  pair.connection.reset();
  pair.send("abc");
  look();
  ::close(copy);
}

TEST_F(TcpSocket, TenThousandComeAndGo) {
  const int before = count_descriptors();
  int woken = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<Pair> pairs;
    std::vector<std::unique_ptr<Wake>> readers;
    for (int i = 0; i < 100; ++i) {
      pairs.emplace_back(loop());
      readers.push_back(std::make_unique<Wake>());
      pairs.back().connection->wait(Direction::read, *readers.back());
      if (i % 2 == 0) pairs.back().send("abc");
      if (i % 3 == 0) pairs.back().close_peer();
    }
    turn();
    turn();
    for (const auto& reader : readers) woken += reader->count;
    readers.clear();
  }
  EXPECT_EQ(woken, 100 * (50 + 17)) << "those with octets, and those of which only the end has come";
  EXPECT_EQ(count_descriptors(), before);
}

}  // namespace
}  // namespace pipette::tcp
