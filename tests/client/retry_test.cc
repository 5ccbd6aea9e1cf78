// What is asked once more, and what never is (RFC 9110 §9.2.2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "pipette/client/client.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/scripted_server.h"
#include "pipette/lab/sweep.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using http::Method;

const std::string kUrl = "http://app/";
constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello";

Request request_of(Method method) {
  Request request;
  request.method = method;
  request.url = kUrl;
  return request;
}

RetryPolicy persistent(int attempts) {
  RetryPolicy policy;
  policy.max_attempts = attempts;
  policy.on_new_connections = true;
  return policy;
}

// A server that resets `failures` connections when they ask, and then answers.
class Retry : public testing::Test {
 protected:
  Result<void> call(const RetryPolicy& policy, int failures, Method method = Method::get, Duration timeout = 30s) {
    for (int i = 0; i < failures; ++i) server_.reset_next();
    server_.answer(std::string(kHello));
    ClientOptions options;
    options.retries = policy;
    options.timeout = timeout;
    Client client(lab_.runtime(), options);
    Response response;
    const Result<void> done = lab_.run(client.call(request_of(method), response));
    repeated_ = client.counts().repeated;
    return done;
  }

  Lab lab_;
  ScriptedServer server_{lab_, "app:80"};
  std::uint64_t repeated_ = 0;
};

TEST_F(Retry, IsNoneOnNewConnectionsUnlessAskedFor) {
  EXPECT_FALSE(call({}, 1));
  EXPECT_EQ(repeated_, 0U);
  lab_.allow_leaks();
}

TEST_F(Retry, GoesOnUntilItIsAnswered) {
  EXPECT_TRUE(call(persistent(5), 4));
  EXPECT_EQ(repeated_, 4U);
  EXPECT_EQ(server_.requests().size(), 5U);
}

TEST_F(Retry, IsBoundedByItsAttempts) {
  EXPECT_EQ(call(persistent(3), 3).error(), std::errc::connection_reset);
  EXPECT_EQ(server_.requests().size(), 3U);
  lab_.allow_leaks();
}

TEST_F(Retry, IsOfIdempotentMethodsAlone) {
  for (const Method method : {Method::get, Method::head, Method::put, Method::delete_, Method::options, Method::trace,
                              Method::post, Method::patch}) {
    Lab lab;
    lab.allow_leaks();
    ScriptedServer server(lab, "app:80");
    server.reset_next();
    server.answer("HTTP/1.1 204 No Content\r\n\r\n");
    ClientOptions options;
    options.retries = persistent(2);
    Client client(lab.runtime(), options);
    Response response;
    EXPECT_EQ(lab.run(client.call(request_of(method), response)).has_value(), http::is_idempotent(method))
        << to_string(method);
  }
}

TEST_F(Retry, PausesLongerEachTimeAndByChance) {
  RetryPolicy policy = persistent(6);
  policy.first_pause = 100ms;
  policy.longest_pause = 400ms;
  std::vector<Duration> times;
  policy.retry_if = [&](const Failure& failure) {
    EXPECT_EQ(failure.attempts, static_cast<int>(times.size()) + 1);
    times.push_back(lab_.elapsed());
    return true;
  };
  EXPECT_TRUE(call(policy, 5));
  times.push_back(lab_.elapsed());
  ASSERT_EQ(times.size(), 6U);
  const Duration most[] = {100ms, 200ms, 400ms, 400ms, 400ms};
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    EXPECT_GT(times[i + 1] - times[i], 0ns);
    EXPECT_LE(times[i + 1] - times[i], most[i] + 1ns);
  }
}

TEST_F(Retry, IsAskedAbout) {
  RetryPolicy policy = persistent(5);
  policy.retry_if = [](const Failure& failure) { return failure.attempts < 2; };
  EXPECT_FALSE(call(policy, 4));
  EXPECT_EQ(server_.requests().size(), 2U);
  lab_.allow_leaks();
}

TEST_F(Retry, NeverOutlivesTheCall) {
  RetryPolicy policy = persistent(1'000);
  policy.budget_reserve = 1'000;
  policy.first_pause = policy.longest_pause = 1s;
  EXPECT_FALSE(call(policy, 1'000, Method::get, 5s));
  EXPECT_LE(lab_.elapsed(), 5s);
  EXPECT_GE(server_.requests().size(), 5U);
  lab_.allow_leaks();
}

TEST_F(Retry, SpendsABudget) {
  RetryPolicy policy = persistent(2);
  policy.budget_percent = 20;
  policy.budget_reserve = 3;
  ClientOptions options;
  options.retries = policy;
  Client client(lab_.runtime(), options);
  lab_.allow_leaks();
  for (int i = 0; i < 100; ++i) server_.reset_next();
  for (int i = 0; i < 23; ++i) EXPECT_FALSE(lab_.run(client.get(kUrl)));
  EXPECT_EQ(client.counts().repeated, 3U + 4U) << "three in reserve, and one in five";
}

// The classic failure: the server closes a kept connection as a POST begins on it. Wherever that happens, it is
// answered, or fails with one clear error, and the handler has run once at most.
TEST(StaleConnection, NeverHasAPostDoneTwice) {
  int done = 0;
  int answered = 0;
  const Server server([&](RequestCtx& ctx) {
    if (ctx.is_post()) ++done;
    ctx.set_body("done");
  });
  const lab::FaultSweep sweep = lab::for_all_faults([&](Lab& lab) {
    lab.serve(server, "app:80");
    Client client(lab.runtime());
    (void)lab.run(client.get(kUrl));
    done = 0;
    const Result<Response> page = lab.run(client.post(kUrl, "text/plain", "one order, please"));
    EXPECT_LE(done, 1);
    if (page) {
      EXPECT_EQ(done, 1);
      ++answered;
    }
  });
  EXPECT_GT(answered, 10);
  EXPECT_GT(sweep.worlds, 50U);
}

}  // namespace
}  // namespace pipette::client
