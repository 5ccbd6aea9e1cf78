// The scorer: our server over TCP, and in memory servers that are not what they should be.
#include "conformance/live/score.h"

#include <chrono>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "pipette/async/task_group.h"
#include "pipette/lab/lab.h"
#include "pipette/server/server.h"
#include "pipette/server/worker.h"
#include "pipette/tcp/runtime.h"

#include "conformance/live/serving.h"
#include "conformance/load.h"

namespace pipette::conformance {
namespace {

using namespace std::chrono_literals;

const Cases& all_cases() {
  static const std::expected<Cases, std::string> cases = load_cases(PIPETTE_CONFORMANCE_DIR);
  if (!cases) throw std::runtime_error(cases.error());
  return *cases;
}

Cases read(const std::string& rest) {
  auto cases = parse_cases("a.md", "## a case\nRFC 9112 \u00a72.1 \u00b7 MUST \u00b7 MSG-01\n" + rest);
  if (!cases) throw std::runtime_error(cases.error());
  return *cases;
}

// ---- over TCP -------------------------------------------------------------------------------------------------------

Task<> serve_and_score(tcp::Runtime& runtime, const Server& server, Score& score) {
  auto listener = runtime.network().listen(net::Address::ipv4({127, 0, 0, 1}, 0));
  if (!listener) throw std::system_error(listener.error(), "listen");
  const net::Address address = (*listener)->address();
  server::Worker worker(server, runtime);
  async::TaskGroup tasks(runtime.loop());
  tasks.spawn(worker.serve(std::move(*listener)));
  score = co_await score_server(runtime, address, all_cases(), Patience());
  (void)co_await worker.shutdown(runtime.loop().now());
  co_await tasks.join();
}

TEST(Score, IsFullForOurServerOverTcp) {
  const Server server(serve_for_cases, lab::quiet());
  tcp::Runtime runtime;
  Score score;
  runtime.run(serve_and_score(runtime, server, score));
  EXPECT_EQ(score.failures, "");
  EXPECT_GT(score.marks[0].passed, 100U) << score.table();
}

// ---- in memory ------------------------------------------------------------------------------------------------------

constexpr std::string_view kGetOnce = "```to server\nGET / HTTP/1.1\\r\\n\nHost: a\\r\\n\n\\r\\n\n```\n";

// What the scorer says of a server that answers so; "" when it has nothing to say.
std::string complaint_about(Handler handler, const std::string& answers, ServerOptions options = lab::quiet()) {
  Lab lab;
  lab.serve(std::move(handler), "app:80", std::move(options));
  const Cases cases = read(std::string(kGetOnce) + "```answers\n" + answers + "\n```\n");
  const Result<net::Address> address = net::Address::parse("app:80");
  const Score score = lab.run(score_server(lab.runtime(), *address, cases, Patience()));
  EXPECT_EQ(score.marks[0].passed + score.marks[0].failed, 1U);
  return score.failures;
}

void greet(RequestCtx& ctx) { ctx.set_body("Hello"); }
void close(RequestCtx& ctx) { ctx.set_connection_close(); }
void fail_always(RequestCtx& ctx) { ctx.error(500, "no"); }

TEST(Score, FailsAServerThatIsNotAsExpected) {
  struct Row {
    void (*handler)(RequestCtx&);
    std::string answers;
    std::string complaint;
  };
  const Row rows[] = {
      {greet, "answer 200\nopen", ""},
      {greet, "answer 2xx\nfilled\nwith Date\nwithout Allow\nno interim\nif 405 with Allow\nopen", ""},
      {greet, "answer 404\nopen", "status 200 where there must be: answer 404"},
      {greet, "answer 200\nwith Allow\nopen", "the answer 200 is not as it must be: with Allow"},
      {greet, "answer 200\nif 200 with Allow\nopen", "the answer 200 is not as it must be: with Allow"},
      {greet, "answer 200\nwithout Date\nopen", "the answer 200 is not as it must be: without Date"},
      {greet, "answer 200\nempty\nopen", "the answer 200 is not as it must be: empty"},
      {greet, "answer 200\nclosed", "the connection was not closed"},
      {greet, "silent", "an answer to what is not complete"},
      {greet, "answer 200\nanswer 200\nopen", "no answer where there must be one: answer 200"},
      {greet, "answer 200\nanswer 200 or none\neither", ""},
      {close, "answer 200\nfilled\nclosed", "the answer 200 is not as it must be: filled"},
      {close, "answer 200\nwith Connection \"close\"\nclosed", ""},
      {close, "answer 200\nopen", "the connection did not go on"},
      {close, "answer 200\neither", ""},
      {fail_always, "answer any\nopen", "the next request was answered with 500"},
  };
  for (const Row& row : rows) {
    const std::string said = complaint_about(row.handler, row.answers);
    EXPECT_EQ(said.empty(), row.complaint.empty()) << row.answers << "\n" << said;
    EXPECT_TRUE(said.contains(row.complaint)) << row.answers << "\n" << said;
  }
}

TEST(Score, ShowsWhatWasSentAndWhatCame) {
  const std::string said = complaint_about(greet, "answer 404\nopen");
  EXPECT_TRUE(said.starts_with("conformance/a.md:1: a case\n  RFC 9112")) << said;
  EXPECT_TRUE(said.contains("  sent     \"GET / HTTP/1.1\\r\\n")) << said;
  EXPECT_TRUE(said.contains("  answered \"HTTP/1.1 200 OK\\r\\n")) << said;
}

TEST(Score, SaysThatNobodyAnswers) {
  Lab lab;
  const Result<net::Address> address = net::Address::parse("app:80");
  const Score score = lab.run(score_server(lab.runtime(), *address, all_cases(), Patience()));
  EXPECT_FALSE(score.is_reachable);
}

TEST(Score, CountsByLevel) {
  Score score;
  score.marks[0].passed = 7;
  score.marks[1].failed = 12;
  EXPECT_EQ(score.table(),
            "level   passed  failed\nMUST         7       0\nSHOULD       0      12\nMAY          0       0\n");
}

}  // namespace
}  // namespace pipette::conformance
