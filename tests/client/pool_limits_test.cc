// How many connections there are, who waits for one, and which is used next.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/stop.h"
#include "pipette/async/task_group.h"
#include "pipette/client/client.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/scripted_server.h"

#include "tests/support/serving.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// A server whose handlers take a second, and calls beside each other that say in which order they have ended.
class PoolLimits : public testing::Test {
 protected:
  Client& client_of(std::size_t connections, PoolOrder order = PoolOrder::lifo, Duration age = Duration::max()) {
    ClientOptions options;
    options.max_conns_per_host = connections;
    options.pool_order = order;
    options.max_conn_age = age;
    options.idle_timeout = 1h;
    client_.emplace(lab_.runtime(), options);
    return *client_;
  }
  void begin(std::string name, CallOptions options = {}) { calls_->spawn(call(std::move(name), options)); }
  std::vector<std::string> take() { return std::exchange(ended_, {}); }

  Server server_{[](RequestCtx& ctx) -> Task<> {
    co_await ctx.sleep(1s);
    ctx.set_body(std::to_string(ctx.connection_id()));
  }};
  Lab lab_;
  server::Worker& worker_ = lab_.serve(server_, "app:80");
  std::optional<Client> client_;
  std::unique_ptr<async::TaskGroup> calls_ = std::make_unique<async::TaskGroup>(lab_.world().loop());

 private:
  Task<> call(std::string name, CallOptions options) {
    const Result<Response> page = co_await client_->get("http://app/" + name, options);
    ended_.push_back(name + (page ? ":" + page->body : " " + page.error().message()));
  }

  std::vector<std::string> ended_;
};

TEST_F(PoolLimits, MakeCallsWaitForEachOtherInTheOrderTheyCame) {
  Client& client = client_of(2);
  for (const char* name : {"a", "b", "c", "d", "e"}) begin(name);
  lab_.settle();
  EXPECT_EQ(client.open_connections(), 2U);
  EXPECT_EQ(client.counts().waited, 3U);
  lab_.advance(1s);
  EXPECT_THAT(take(), ElementsAre("a:1", "b:2"));
  begin("f");  // behind those who wait
  lab_.advance(1s);
  EXPECT_THAT(take(), ElementsAre("c:1", "d:2"));
  lab_.advance(1s);
  EXPECT_THAT(take(), ElementsAre("e:1", "f:2"));
  EXPECT_EQ(client.counts().dials, 2U);
  EXPECT_EQ(client.counts().reused, 4U);
  EXPECT_EQ(client.idle_connections(), 2U);
}

TEST_F(PoolLimits, GiveThePlaceOfAConnectionThatIsGoneToWhoWaits) {
  client_of(1);
  begin("a");
  begin("b");
  lab_.settle();
  calls_.reset();  // both are given up; nobody's place is lost
  calls_ = std::make_unique<async::TaskGroup>(lab_.world().loop());
  EXPECT_EQ(client_->open_connections(), 0U);
  begin("c");
  lab_.advance(2s);
  EXPECT_THAT(take(), ElementsAre("c:2"));
}

TEST_F(PoolLimits, PassOverWhoHasStoppedWaiting) {
  Client& client = client_of(1);
  async::StopSource stop(lab_.world().loop());
  begin("a");
  begin("b", async::CallOptions{.stop = stop.token()});
  begin("c");
  lab_.advance(500ms);
  stop.request_stop(async::StopReason::canceled);
  lab_.advance(500ms);
  EXPECT_EQ(take()[0].substr(0, 2), "b ");
  lab_.advance(1s);
  EXPECT_THAT(take(), ElementsAre("c:1"));
  EXPECT_EQ(client.open_connections(), 1U);
}

// What an answer frees is given to "b" in the instant in which "b" is stopped, in any order.
TEST_F(PoolLimits, LoseNoPlaceThatIsGivenToWhoIsGone) {
  Client& client = client_of(1);
  async::StopSource stop(lab_.world().loop());
  begin("a");
  begin("b", async::CallOptions{.stop = stop.token()});
  begin("c");
  calls_->spawn([](async::Loop& loop, async::StopSource& source) -> Task<> {
    co_await async::sleep_until(loop, TimePoint(1s));
    source.request_stop(async::StopReason::canceled);
  }(lab_.world().loop(), stop));
  lab_.advance(4s);
  const std::vector<std::string> ended = take();
  EXPECT_EQ(ended.size(), 3U);
  EXPECT_EQ(ended.back(), "c:1");
  EXPECT_EQ(client.open_connections(), 1U);
  EXPECT_EQ(client.idle_connections(), 1U);
}

TEST_F(PoolLimits, UseTheConnectionThatWasUsedLastOrFirst) {
  for (const PoolOrder order : {PoolOrder::lifo, PoolOrder::fifo}) {
    Client& client = client_of(8, order);
    for (const char* name : {"a", "b", "c"}) {
      begin(name);
      lab_.advance(100ms);
    }
    lab_.advance(2s);
    take();
    std::vector<std::string> used;
    for (int i = 0; i < 4; ++i) used.push_back(lab_.run(client.get("http://app/"))->body);
    const int first = std::stoi(used[0]) - (order == PoolOrder::lifo ? 2 : 0);
    const auto name = [first](int index) { return std::to_string(first + index); };
    if (order == PoolOrder::lifo) {
      EXPECT_THAT(used, ElementsAre(name(2), name(2), name(2), name(2)));
    } else {
      EXPECT_THAT(used, ElementsAre(name(0), name(1), name(2), name(0)));
    }
  }
}

TEST_F(PoolLimits, EndTheLifeOfAConnection) {
  Client& client = client_of(8, PoolOrder::lifo, 5s);
  for (int i = 0; i < 7; ++i) EXPECT_TRUE(lab_.run(client.get("http://app/")));
  EXPECT_EQ(client.counts().dials, 2U) << "the fifth second is the last one of the first connection";
  lab_.advance(10s);
  EXPECT_EQ(client.open_connections(), 0U);
}

TEST_F(PoolLimits, ForgetHostsWithoutWork) {
  Client& client = client_of(8);
  lab_.serve(server_, "other:80");
  lab_.serve(server_, "third:80");
  EXPECT_TRUE(lab_.run(client.get("http://app/")));
  EXPECT_TRUE(lab_.run(client.get("http://other/")));
  EXPECT_EQ(client.hosts(), 2U);
  client.close_idle();
  EXPECT_EQ(client.open_connections(), 0U);
  EXPECT_TRUE(lab_.run(client.get("http://third/")));
  EXPECT_EQ(client.hosts(), 1U);
}

}  // namespace
}  // namespace pipette::client
