#include "pipette/lab/fuzz.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>

#include "pipette/async/sleep.h"
#include "pipette/base/random.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

void hello(RequestCtx& ctx) { ctx.set_body("Hello"); }

std::string why_it_fails(const Server& server, std::string_view text, const FuzzOptions& options = {}) {
  try {
    fuzz(server, text, options);
    return "";
  } catch (const FuzzFailed& error) {
    return error.what();
  }
}

TEST(Fuzz, FindsNothingWrongWithAServer) {
  const Server server(hello, quiet());
  constexpr std::string_view kInputs[] = {
      "",
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "pipette fuzz 1\nmessage get\nmessage head\nmessage chunked post\nmessage last get\n",
      "pipette fuzz 1\ncut 1\nmessage get\nafter 10s\nfinish\n",
      "pipette fuzz 1\nsend \"GET / HT\"\nafter 10s\nsend \"TP/1.1\\r\\n\"\n",
      "pipette fuzz 1\nchoices 01 02 03 04 05\nmessage get\ntogether\nconn 2\nmessage post\n",
      "pipette fuzz 1\nfault write reset\nmessage get\nfault read timed out, sticky\nmessage get\n",
      "pipette fuzz 1\nlink stall\nmessage get\nafter 60s\nlink latency\nconn 2\nmessage get\n",
      "pipette fuzz 1\nmessage get\nclose\nmessage get\nshutdown\nmessage get\n",
  };
  for (const std::string_view input : kInputs) EXPECT_EQ(why_it_fails(server, input), "") << input;
}

TEST(Fuzz, FindsNothingWrongWithAServerWhateverTheOctets) {
  const Server server(hello, quiet());
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    std::string input = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (std::size_t n = random.below(12); n > 0; --n) {
      input += '\xff';
      for (std::size_t octets = 1 + random.below(5); octets > 0; --octets) {
        input += static_cast<char>(random.below(255));
      }
    }
    ASSERT_EQ(why_it_fails(server, input), "");
  }
}

TEST(Fuzz, TellsOfAHandlerThatNeverReturns) {
  ServerOptions options = quiet();
  options.handler_timeout = server::kNoLimit;
  const Server server(
      [](RequestCtx& ctx) -> Task<> { co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 72h)); },
      options);
  const std::string why = why_it_fails(server, "pipette fuzz 1\nmessage get\n");
  EXPECT_THAT(why, HasSubstr("every deadline has passed, and 1 connection"));
  EXPECT_THAT(why, HasSubstr("pipette fuzz 1\nmessage get\n"));
}

TEST(Fuzz, TellsOfAnInvariantThatDoesNotHold) {
  int calls = 0;
  const Server server([&calls](RequestCtx&) { ++calls; }, quiet());
  FuzzOptions options;
  options.invariant = [&calls](Lab&) { return calls < 2; };
  EXPECT_EQ(why_it_fails(server, "pipette fuzz 1\nmessage get\n", options), "");
  EXPECT_THAT(why_it_fails(server, "pipette fuzz 1\nmessage get\n", options),
              HasSubstr("the invariant does not hold after step 1"));
}

TEST(Fuzz, RefusesTextThatIsNone) {
  const Server server(hello, quiet());
  EXPECT_THROW(fuzz(server, "pipette fuzz 1\njump\n"), BadFuzzText);
}

TEST(Fuzz, IsTheSameEachTime) {
  std::vector<std::string> hashes;
  for (int i = 0; i < 2; ++i) {
    const Server server(hello, quiet());
    FuzzOptions options;
    std::string hash;
    options.invariant = [&hash](Lab& lab) {
      hash = lab.log().hash();
      return true;
    };
    fuzz(server, "pipette fuzz 1\nchoices 01 02 01 01\nmessage get\ntogether\nconn 2\nmessage get\nafter 1s\n",
         options);
    hashes.push_back(hash);
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

TEST(FuzzApp, TakesHandlersServersAndFunctionsThatMakeThem) {
  constexpr std::string_view kInput = "pipette fuzz 1\nmessage get\n";
  int calls = 0;
  const auto handler = [&calls](RequestCtx&) { ++calls; };
  const Server server(handler, quiet());
  fuzz_app(kInput, handler);
  fuzz_app(kInput, server);
  fuzz_app(kInput, [&handler] { return handler; });
  fuzz_app(kInput, [&handler] { return Server(handler, quiet()); });
  fuzz_app(kInput, [&handler] { return std::make_unique<Server>(handler, quiet()); });
  EXPECT_EQ(calls, 5);
}

class Hostile {
 public:
  // A player in the role of a client, whose server says `octets` to whatever comes, and finishes.
  static std::string check(std::string octets, std::string_view input) {
    FuzzDecisions decisions("", 1);
    Lab lab(LabOptions{.oracle = &decisions});
    const net::Address address = *net::Address::parse("app:80");
    const auto listener = lab.host("app").runtime().network().listen(address);
    FuzzPlayer::Open open;
    open.now = [&]() -> Result<std::unique_ptr<net::Connection>> {
      Result<net::Connected> connected = lab.world().dial_now(address);
      if (!connected) return fail(connected.error());
      return std::move(connected->connection);
    };
    std::unique_ptr<net::Connection> accepted;
    lab.spawn(answer(**listener, accepted, std::move(octets)));
    std::string why;
    {
      FuzzPlayer player(lab, decisions, Role::client, std::move(open), "app");
      player.play(FuzzInput::parse(input));
      player.wind_up(1h);
      try {
        player.check();
      } catch (const FuzzFailed& error) {
        why = error.what();
      }
    }
    lab.allow_leaks();
    return why;
  }

 private:
  static Task<> answer(net::Listener& listener, std::unique_ptr<net::Connection>& accepted, std::string octets) {
    Result<net::Connected> connected = co_await listener.accept();
    accepted = std::move(connected->connection);
    const Bytes piece = octets;
    (void)accepted->try_write({&piece, 1});
    (void)accepted->try_close_write();
  }
};

TEST(FuzzPlayer, ChecksWhatAServerSays) {
  struct Case {
    std::string_view octets;
    std::string_view why;
  };
  constexpr Case kCases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", ""},
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", "the end came within message 1, 200 OK"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello", "what came is not HTTP"},
      {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "what came is not HTTP"},
      {"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
       "3 responses to 1 requests"},
  };
  for (const Case& tried : kCases) {
    const std::string why = Hostile::check(std::string(tried.octets), "pipette fuzz 1\nmessage get\n");
    if (tried.why.empty()) {
      EXPECT_EQ(why, "") << tried.octets;
    } else {
      EXPECT_THAT(why, HasSubstr(std::string(tried.why))) << tried.octets;
    }
  }
}

}  // namespace
}  // namespace pipette::lab
