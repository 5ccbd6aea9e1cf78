#include "bench/load/arguments.h"

#include <array>
#include <gtest/gtest.h>
#include <vector>

namespace pipette::load {
namespace {

using namespace std::chrono_literals;

TEST(Arguments, HasDefaultsForAllButTheUrl) {
  const std::vector<const char*> words = {"http://app:8080/things"};
  const auto parsed = parse_arguments(words);
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(parsed->load.request.url, "http://app:8080/things");
  EXPECT_EQ(parsed->load.connections, 64U);
  EXPECT_EQ(parsed->load.depth, 1U);
  EXPECT_EQ(parsed->load.rate, 0U);
  EXPECT_EQ(parsed->load.duration, 10s);
  EXPECT_EQ(parsed->threads, 1U);
  EXPECT_FALSE(parsed->is_json);
  EXPECT_FALSE(parsed->is_insecure);
}

TEST(Arguments, TakesEachOption) {
  const std::vector<const char*> words = {
      "--connections", "8",          "--pipeline", "16",     "--rate",   "5000",       "--duration", "250ms",
      "--timeout",     "2m",         "--threads",  "2",      "--method", "POST",       "--body",     "a=1",
      "--header",      "X-A:  b: c", "--header",   "X-D: e", "--json",   "--insecure", "http://app/"};
  const auto parsed = parse_arguments(words);
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(parsed->load.connections, 8U);
  EXPECT_EQ(parsed->load.depth, 16U);
  EXPECT_EQ(parsed->load.rate, 5000U);
  EXPECT_EQ(parsed->load.duration, 250ms);
  EXPECT_EQ(parsed->load.timeout, 2min);
  EXPECT_EQ(parsed->threads, 2U);
  EXPECT_EQ(parsed->load.request.method, http::Method::post);
  EXPECT_EQ(parsed->load.request.body, "a=1");
  EXPECT_EQ(parsed->load.request.fields.get("X-A"), "b: c");
  EXPECT_EQ(parsed->load.request.fields.get("X-D"), "e");
  EXPECT_TRUE(parsed->is_json);
  EXPECT_TRUE(parsed->is_insecure);
}

TEST(Arguments, SaysWhatIsWrong) {
  struct Case {
    std::vector<const char*> words;
    const char* problem;
  };
  const std::array cases = {
      Case{{}, "which URL?"},
      Case{{"ftp://app/"}, "ftp://app/: "},
      Case{{"http://app/", "--many"}, "--many: no such option"},
      Case{{"http://app/", "--rate"}, "--rate: what is its value?"},
      Case{{"http://app/", "--rate", "0"}, "--rate: wants a whole number"},
      Case{{"http://app/", "--rate", "1e3"}, "--rate: wants a whole number"},
      Case{{"http://app/", "--connections", "-1"}, "--connections: wants a whole number"},
      Case{{"http://app/", "--connections", "1000000000000000000000"}, "--connections: wants a whole number"},
      Case{{"http://app/", "--connections", "1000", "--pipeline", "1000"}, "--connections times --pipeline: "},
      Case{{"http://app/", "--duration", "10"}, "--duration: wants a time"},
      Case{{"http://app/", "--duration", "s"}, "--duration: wants a time"},
      Case{{"http://app/", "--duration", "99999999m"}, "--duration: wants a time"},
      Case{{"http://app/", "--method", "get"}, "--method: not a method"},
      Case{{"http://app/", "--header", "X-A"}, "--header: wants NAME: VALUE"},
      Case{{"http://app/", "--header", "X A: b"}, "--header: "},
      Case{{"http://app/", "--connections", "2", "--threads", "3"}, "--threads: each needs a connection"},
      Case{{"http://app/", "--rate", "2", "--threads", "3"}, "--threads: each needs a request a second"},
  };
  for (const Case& wrong : cases) {
    const auto parsed = parse_arguments(wrong.words);
    ASSERT_FALSE(parsed) << wrong.problem;
    EXPECT_TRUE(parsed.error().starts_with(wrong.problem)) << parsed.error() << " is not " << wrong.problem;
  }
}

TEST(Arguments, DividesAmongThreadsWithoutLosingAny) {
  Arguments arguments;
  arguments.load.connections = 8;
  arguments.load.rate = 100;
  arguments.threads = 3;
  std::size_t connections = 0;
  std::uint64_t rate = 0;
  for (std::size_t i = 0; i < arguments.threads; ++i) {
    connections += share_of(arguments, i).connections;
    rate += share_of(arguments, i).rate;
  }
  EXPECT_EQ(connections, 8U);
  EXPECT_EQ(rate, 100U);
}

}  // namespace
}  // namespace pipette::load
