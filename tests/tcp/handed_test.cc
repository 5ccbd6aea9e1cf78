#include "pipette/tcp/handed.h"

#include <array>
#include <coroutine>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "pipette/tcp/listening.h"
#include "pipette/tcp/runtime.h"

namespace pipette::tcp {
namespace {

using namespace std::chrono_literals;

net::Address loopback() { return *net::Address::parse("127.0.0.1:0"); }

Task<> dial(Runtime& runtime, net::Address address, net::Connected& connected) {
  Result<net::Connected> dialed = co_await runtime.network().dial(address, after(runtime.loop().now(), 10s));
  connected = std::move(*dialed);
}

// Until somebody has come.
Task<> accept(net::Listener& listener, std::optional<Handed>& handed) {
  for (;;) {
    Result<Handed> next = accept_to_hand(listener);
    if (next) {
      handed = std::move(*next);
      co_return;
    }
    EXPECT_EQ(next.error(), make_error_code(Errc::would_block));
    struct Waiting final : net::Waiter {
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> who) {
        waiter = who;
        listener->wait(*this);
      }
      void await_resume() const {}
      void run() override { waiter.resume(); }
      net::Listener* listener = nullptr;
      std::coroutine_handle<> waiter;
    };
    Waiting waiting;
    waiting.listener = &listener;
    co_await waiting;
  }
}

Task<> say(net::Connection& connection, std::string words) {
  const std::array<Bytes, 1> pieces = {words};
  const Result<void> written = co_await connection.write(pieces);
  EXPECT_TRUE(written);
}

Task<> hear(net::Connection& connection, std::string& heard) {
  std::array<char, 64> room;
  const Result<std::size_t> count = co_await connection.read_some(room);
  heard = count ? std::string(room.data(), *count) : count.error().message();
}

struct Scene {
  Scene() {
    accepting.run(dial(accepting, listener->address(), client));
    accepting.run(accept(*listener, handed));
  }
  Runtime accepting;
  std::unique_ptr<net::Listener> listener = accepting.network().listen(loopback()).value();
  net::Connected client;
  std::optional<Handed> handed;
};

TEST(Handed, IsServedOnAnotherLoop) {
  Scene scene;
  EXPECT_EQ(scene.handed->local, scene.listener->address());
  EXPECT_EQ(scene.handed->remote, scene.client.local);
  Runtime serving;
  net::Connected connected = take(serving, std::move(*scene.handed)).value();
  EXPECT_EQ(connected.remote, scene.client.local);
  std::string heard;
  scene.accepting.run(say(*scene.client.connection, "hello"));
  serving.run(hear(*connected.connection, heard));
  EXPECT_EQ(heard, "hello");
  serving.run(say(*connected.connection, "and back"));
  scene.accepting.run(hear(*scene.client.connection, heard));
  EXPECT_EQ(heard, "and back");
}

TEST(Handed, IsClosedWhenNobodyTakesIt) {
  Scene scene;
  scene.handed.reset();
  std::string heard = "something";
  scene.accepting.run(hear(*scene.client.connection, heard));
  EXPECT_EQ(heard, "");
}

TEST(Listening, IsToldOfADescriptorThatListensAndOfNoOther) {
  Scene scene;
  EXPECT_EQ(listens_at(scene.accepting.listening()[0].descriptor), scene.listener->address());
  EXPECT_EQ(listens_at(scene.handed->descriptor.get()).error(), make_error_code(Errc::not_supported));
  EXPECT_EQ(listens_at(-1).error(), make_error_code(Errc::not_supported));
}

}  // namespace
}  // namespace pipette::tcp
