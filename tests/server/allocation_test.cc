// A warm keep-alive exchange allocates nothing, on either side, end to end in memory.
//
// In a program of its own, since it replaces the global operator new.
#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "pipette/async/sleep.h"
#include "pipette/base/poison.h"
#include "pipette/client/host_client.h"
#include "pipette/client/lb_client.h"
#include "pipette/lab/lab.h"

#include "tests/support/counted_new.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;

constexpr int kWarmUp = 100;
constexpr int kCounted = 1000;

Task<> call_again_and_again(client::Caller& client, const client::Request& request, std::uint64_t& allocated,
                            int& failed) {
  client::Response response;
  for (int i = 0; i < kWarmUp + kCounted; ++i) {
    if (i == kWarmUp) allocated = test::allocations();
    const Result<void> done = co_await client.call(request, response);
    if (!done || response.status != 200) ++failed;
  }
  allocated = test::allocations() - allocated;
}

// What `kCounted` warm calls allocate.
std::uint64_t count_allocations(Handler handler, const client::Request& request) {
  const Server server(std::move(handler));
  Lab lab;
  lab.world().log().set_recording(false);
  lab.serve(server, "app:80");
  std::uint64_t allocated = 0;
  int failed = 0;
  lab.run(call_again_and_again(lab.client(), request, allocated, failed));
  EXPECT_EQ(failed, 0);
  return allocated;
}

void echo(RequestCtx& ctx) {
  if (!ctx.set_header("X-Kind", "echo") || !ctx.set_content_type("text/html")) ctx.error(500, "");
  ctx.set_body(ctx.body());
}

Task<> echo_at_once(RequestCtx& ctx) {
  echo(ctx);
  co_return;
}

Task<> echo_later(RequestCtx& ctx) {
  co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1ms));
  echo(ctx);
}

// Asks for all that is parsed when it is asked for, but for a multipart form.
void ask_for_parts(RequestCtx& ctx) {
  const Result<const http::Uri*> uri = ctx.uri();
  const Result<const http::Args*> query = ctx.query_args();
  const Result<const http::Args*> post = ctx.post_args();
  const Result<http::BasicCredentials> credentials = ctx.basic_auth();
  const bool has_all = uri && query && (*query)->has("query") && post && (*post)->has("a") && credentials;
  if (!has_all || ctx.user_value<int>("none") != nullptr) ctx.error(500, "");
}

class WarmExchange : public testing::Test {
 protected:
  void SetUp() override {
    if (kPoisons) GTEST_SKIP() << "under AddressSanitizer nothing is recycled, so that what is dead stays dead";
    request_.url = "http://app/path?query";
  }
  client::Request request_;
};

TEST_F(WarmExchange, AllocatesNothingForAGet) { EXPECT_EQ(count_allocations(echo, request_), 0U); }

TEST_F(WarmExchange, AllocatesNothingForAPostWithFields) {
  request_.method = http::Method::post;
  request_.body = std::string(2000, 'x');
  ASSERT_TRUE(request_.fields.set("Content-Type", "text/plain; charset=utf-8"));
  ASSERT_TRUE(request_.fields.set("X-Request-ID", "6f1d1c1e-5d7c-4a39-9a2b-0d2f3b0f7f5e"));
  ASSERT_TRUE(request_.fields.set("X-Own-Field", "some value of some length"));
  EXPECT_EQ(count_allocations(echo, request_), 0U);
}

TEST_F(WarmExchange, AllocatesNothingForResponsesOfOneTypeAndThenAnother) {
  const auto alternate = [count = std::make_shared<int>()](RequestCtx& ctx) {
    const bool is_even = ++*count % 2 == 0;
    if (!ctx.set_content_type(is_even ? "application/json; charset=utf-8" : "text/html")) ctx.error(500, "");
    ctx.set_body("{}");
  };
  EXPECT_EQ(count_allocations(alternate, request_), 0U);
}

TEST_F(WarmExchange, AllocatesNothingForABodyBeyondTheReadBuffer) {
  request_.method = http::Method::put;
  request_.body = std::string(15'000, 'x');
  EXPECT_EQ(count_allocations(echo, request_), 0U);
}

TEST_F(WarmExchange, AllocatesNothingForPartsThatAreParsedAgainAndAgain) {
  request_.method = http::Method::post;
  request_.body = "a=a+value+of+some+length&b=%20";
  ASSERT_TRUE(request_.fields.set("Content-Type", "application/x-www-form-urlencoded"));
  ASSERT_TRUE(request_.fields.set("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
  EXPECT_EQ(count_allocations(ask_for_parts, request_), 0U);
}

TEST_F(WarmExchange, AllocatesNothingForACoroutineHandler) {
  EXPECT_EQ(count_allocations(echo_at_once, request_), 0U);
  EXPECT_EQ(count_allocations(echo_later, request_), 0U);
}

TEST_F(WarmExchange, AllocatesNothingForATargetThatIsChosen) {
  Lab lab;
  lab.world().log().set_recording(false);
  LBClient balanced(lab.runtime());
  for (const char* const name : {"one", "two"}) {
    lab.serve(echo, std::string(name) + ":80");
    balanced.add(name, std::make_unique<HostClient>(lab.runtime(), std::string("http://") + name));
  }
  request_.url = "/path?query";
  std::uint64_t allocated = 0;
  int failed = 0;
  lab.run(call_again_and_again(balanced, request_, allocated, failed));
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(allocated, 0U);
}

}  // namespace
}  // namespace pipette::server
