// Responses that are written piece by piece: what is on the wire, who waits for whom, and what a cut looks like.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/lab/gtest.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::kGet;
using test::ok;
using test::Serving;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kOpening = "Server: pipette\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n";

net::ChannelOptions pipes_of(std::size_t bytes) {
  net::ChannelOptions pipes;
  pipes.with_capacity(bytes);
  return pipes;
}

// "ab" again and again, then an end of its choice.
class Pieces final : public BodySource {
 public:
  enum class End : std::uint8_t { good, error, exception, no_exception };

  struct Seen {
    int reads = 0;
    int deaths = 0;
  };

  Pieces(Seen& seen, int count, End end, std::string piece = "ab")
      : seen_(seen), left_(count), end_(end), piece_(std::move(piece)) {}
  ~Pieces() override { ++seen_.deaths; }

  Task<Result<std::size_t>> read(MutableBytes into) override {
    ++seen_.reads;
    if (left_-- > 0) co_return piece_.copy(into.data(), into.size());
    if (end_ == End::error) co_return fail(Errc::connection_refused);
    if (end_ == End::exception) throw std::runtime_error("no more rows");
    if (end_ == End::no_exception) throw 1;
    co_return std::size_t{0};
  }

 private:
  Seen& seen_;
  int left_;
  End end_;
  std::string piece_;
};

// ---- on the wire -------------------------------------------------------------------------------------------

Task<> write_two(RequestCtx& ctx) {
  EXPECT_TRUE(co_await ctx.write("one"));
  EXPECT_TRUE(co_await ctx.write(""));
  EXPECT_TRUE(co_await ctx.write("two"));
}

Task<> write_by_path(RequestCtx& ctx) {
  if (ctx.path() == "/204") ctx.set_status(204);
  if (ctx.path() == "/304") ctx.set_status(304);
  if (ctx.path() == "/length") ctx.set_stream_length(6);
  if (ctx.path() == "/trailer") {
    EXPECT_TRUE(ctx.add_trailer("X-Sum", "6"));
    EXPECT_EQ(ctx.add_trailer("Content-Length", "6"), fail(Errc::bad_trailer));
  }
  co_await write_two(ctx);
}

Task<> flush_alone(RequestCtx& ctx) { EXPECT_TRUE(co_await ctx.flush()); }

// What is set later is too late.
Task<> change_mind(RequestCtx& ctx) {
  ctx.set_body("never sent");
  (void)ctx.set_header("X-Early", "1");
  EXPECT_TRUE(co_await ctx.write("onetwo"));
  ctx.set_status(500);
  (void)ctx.set_header("X-Late", "1");
  ctx.error(404, "gone");
}

Task<> give_source(RequestCtx& ctx) {
  static Pieces::Seen seen;
  const bool is_known = ctx.path() == "/length";
  ctx.set_body_source(std::make_unique<Pieces>(seen, 3, Pieces::End::good),
                      is_known ? http::KnownLength(6) : http::KnownLength());
  co_return;
}

struct OnTheWire {
  std::string name;
  std::string request;
  Task<> (*handler)(RequestCtx& ctx);
  std::string status;
  std::string fields;  // behind Date
  std::string body;
  bool closes = false;
};

std::vector<OnTheWire> wires() {
  const std::string text = "Content-Type: text/plain; charset=utf-8\r\n";
  const std::string chunked = text + "Transfer-Encoding: chunked\r\n";
  const std::string six = text + "Content-Length: 6\r\n";
  const std::string two_chunks = "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n";
  const auto head = [](std::string_view path) { return "HEAD " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n"; };
  return {
      {"Chunked", get("/"), write_by_path, "200 OK", chunked, two_chunks},
      {"Nothing", get("/"), flush_alone, "200 OK", chunked, "0\r\n\r\n"},
      {"OfALength", get("/length"), write_by_path, "200 OK", six, "onetwo"},
      {"WithTrailer", get("/trailer"), write_by_path, "200 OK", chunked,
       "3\r\none\r\n3\r\ntwo\r\n0\r\nX-Sum: 6\r\n\r\n"},
      {"ChangedLate", get("/"), change_mind, "200 OK", chunked + "X-Early: 1\r\n", "6\r\nonetwo\r\n0\r\n\r\n"},
      {"Head", head("/"), write_by_path, "200 OK", text, ""},
      {"HeadOfALength", head("/length"), write_by_path, "200 OK", six, ""},
      {"NoContent", get("/204"), write_by_path, "204 No Content", "", ""},
      {"NotModified", get("/304"), write_by_path, "304 Not Modified", "", ""},
      {"ForHttp10", "GET / HTTP/1.0\r\n\r\n", write_by_path, "200 OK", text + "Connection: close\r\n", "onetwo", true},
      {"ForHttp10WithTrailer", "GET /trailer HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", write_by_path, "200 OK",
       text + "Connection: close\r\n", "onetwo", true},
      {"ForHttp10OfALength", "GET /length HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", write_by_path, "200 OK",
       six + "Connection: keep-alive\r\n", "onetwo"},
      {"Source", get("/"), give_source, "200 OK", chunked, "2\r\nab\r\n2\r\nab\r\n2\r\nab\r\n0\r\n\r\n"},
      {"SourceOfALength", get("/length"), give_source, "200 OK", six, "ababab"},
      {"SourceForHead", head("/length"), give_source, "200 OK", six, ""},
      {"SourceForHttp10", "GET / HTTP/1.0\r\n\r\n", give_source, "200 OK", text + "Connection: close\r\n", "ababab",
       true},
  };
}

class Stream : public testing::TestWithParam<OnTheWire> {};

TEST_P(Stream, IsFramedAsItsHeadSaysAndTheNextRequestIsAnswered) {
  const OnTheWire& wire = GetParam();
  Serving app([&wire](RequestCtx& ctx) -> Task<> {
    if (ctx.path() != "/next") return wire.handler(ctx);
    return [](RequestCtx& next) -> Task<> {
      next.set_body("next");
      co_return;
    }(ctx);
  });
  Peer peer = app.connect();
  peer.send(wire.request + get("/next"));
  std::string expected = "HTTP/1.1 " + wire.status + "\r\n" + std::string(kOpening) + wire.fields + "\r\n" + wire.body;
  if (!wire.closes) expected += ok("next");
  EXPECT_EQ(peer.received(), expected);
  EXPECT_EQ(peer.closed(), wire.closes);
  EXPECT_FALSE(peer.was_reset());
  EXPECT_THAT(app.log(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(OnTheWire, Stream, testing::ValuesIn(wires()),
                         [](const testing::TestParamInfo<OnTheWire>& wire) { return wire.param.name; });

TEST(Stream, OfServerSentEventsComesEventByEvent) {
  const auto tell_events = [](RequestCtx& ctx) -> Task<> {
    (void)ctx.set_content_type("text/event-stream");
    for (int i = 0; i < 3; ++i) {
      (void)co_await ctx.write("data: " + std::to_string(i) + "\n\n");
      EXPECT_TRUE(co_await ctx.flush());
      co_await ctx.sleep(1min);
    }
  };
  Serving app(tell_events);
  Peer peer = app.connect();
  peer.send(kGet);
  EXPECT_THAT(peer.take(), EndsWith("\r\n\r\n9\r\ndata: 0\n\n\r\n"));
  app.lab().advance(1min - 1ns);
  peer.expect_nothing();
  app.lab().advance(1ns);
  EXPECT_EQ(peer.take(), "9\r\ndata: 1\n\n\r\n");
  app.lab().advance(1min);
  EXPECT_EQ(peer.take(), "9\r\ndata: 2\n\n\r\n");
  app.lab().advance(1min);
  EXPECT_EQ(peer.take(), "0\r\n\r\n") << "no handler time-out cuts a response that has begun";
  EXPECT_EQ(app.worker().metrics().handler_timeouts.get(), 0U);
}

// ---- who waits for whom ------------------------------------------------------------------------------------

TEST(Stream, WaitsForAClientThatDoesNotRead) {
  int written = 0;
  Serving app(
      [&written](RequestCtx& ctx) -> Task<> {
        const std::string piece(1'000, 'x');
        for (; written < 1'000; ++written) (void)co_await ctx.write(piece);
      },
      {}, pipes_of(2'000));
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().settle();
  EXPECT_LT(written, 10) << "a pipe full and a buffer full";
  EXPECT_EQ(peer.expect_response(200).body.size(), 1'000'000U);
  EXPECT_EQ(written, 1'000);
}

TEST(Stream, TellsItsHandlerHowItBroke) {
  struct Case {
    bool resets;
    std::error_code expected;
  };
  for (const Case& broken :
       {Case{true, make_error_code(Errc::connection_reset)}, Case{false, make_error_code(Errc::timed_out)}}) {
    ServerOptions options;
    options.write_min_rate = 0;
    std::vector<std::error_code> errors;
    Serving app(
        [&errors](RequestCtx& ctx) -> Task<> {
          const std::string piece(10'000, 'x');
          for (int i = 0; i < 2; ++i) {
            const Result<void> went = co_await ctx.write(piece);
            errors.push_back(went ? std::error_code() : went.error());
          }
        },
        options, pipes_of(1'000));
    Peer peer = app.connect();
    peer.send(kGet);
    app.lab().advance(60s - 1ns);
    EXPECT_THAT(errors, IsEmpty());
    if (broken.resets) peer.abort();
    app.lab().advance(1ns);
    EXPECT_THAT(errors, ElementsAre(broken.expected, broken.expected));
    EXPECT_EQ(app.worker().open_connections(), 0U);
  }
}

TEST(BodySource, IsAskedForMoreWhenThePieceBeforeHasGone) {
  Pieces::Seen seen;
  Serving app(
      [&seen](RequestCtx& ctx) {
        ctx.set_body_source(std::make_unique<Pieces>(seen, 100, Pieces::End::good, std::string(10'000, 'x')));
      },
      {}, pipes_of(1'000));
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().settle();
  EXPECT_EQ(seen.reads, 1);
  EXPECT_EQ(seen.deaths, 0);
  peer.abort();
  app.lab().settle();
  EXPECT_EQ(seen.deaths, 1) << "the client has gone";
}

// ---- responses that are cut short ----------------------------------------------------------------------------

TEST(BodySource, ThatFailsCutsTheResponseShortAndIsDestroyed) {
  using End = Pieces::End;
  for (const End end : {End::error, End::exception, End::no_exception}) {
    for (const bool is_http_1_0 : {false, true}) {
      Pieces::Seen seen;
      Serving app([&](RequestCtx& ctx) { ctx.set_body_source(std::make_unique<Pieces>(seen, 2, end)); });
      Peer peer = app.connect();
      peer.send(is_http_1_0 ? "GET / HTTP/1.0\r\n\r\n" : std::string(kGet) + std::string(kGet));
      EXPECT_THAT(peer.received(), EndsWith(is_http_1_0 ? "abab" : "2\r\nab\r\n2\r\nab\r\n"));
      EXPECT_TRUE(peer.closed());
      EXPECT_EQ(peer.was_reset(), is_http_1_0) << "an orderly end would look like that of the body";
      EXPECT_EQ(app.log().size(), 1U);
      peer.close_write();
      app.lab().settle();
      EXPECT_EQ(seen.deaths, 1);
      EXPECT_EQ(app.worker().open_connections(), 0U);
    }
  }
}

TEST(BodySource, IsNotReadForHeadAndDestroyedAllTheSame) {
  Pieces::Seen seen;
  Serving app([&](RequestCtx& ctx) { ctx.set_body_source(std::make_unique<Pieces>(seen, 2, Pieces::End::error)); });
  Peer peer = app.connect();
  peer.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  peer.expect_response(200);
  peer.expect_nothing();
  EXPECT_EQ(seen.reads, 0);
  EXPECT_EQ(seen.deaths, 1);
}

TEST(BodySource, IsDroppedByAnErrorThatIsSetLater) {
  Pieces::Seen seen;
  Serving app([&](RequestCtx& ctx) {
    ctx.set_body_source(std::make_unique<Pieces>(seen, 2, Pieces::End::good));
    throw std::runtime_error("no");
  });
  Peer peer = app.connect();
  peer.send(kGet);
  EXPECT_EQ(peer.expect_response(500).body, "internal server error");
  EXPECT_EQ(seen.reads, 0);
  EXPECT_EQ(seen.deaths, 1);
}

TEST(Stream, OfALengthIsCutShortWhenTooLittleIsWritten) {
  for (const bool writes_too_much : {false, true}) {
    Result<void> last;
    Serving app([&](RequestCtx& ctx) -> Task<> {
      ctx.set_stream_length(5);
      EXPECT_TRUE(co_await ctx.write("one"));
      if (writes_too_much) last = co_await ctx.write("two");
    });
    Peer peer = app.connect();
    peer.send(std::string(kGet) + std::string(kGet));
    app.lab().settle();
    EXPECT_EQ(last, writes_too_much ? fail(Errc::wrong_body_size) : Result<void>());
    EXPECT_THAT(peer.received(), EndsWith("Content-Length: 5\r\n\r\none"));
    EXPECT_TRUE(peer.closed());
    EXPECT_THAT(app.log(), ElementsAre(HasSubstr("cut short")));
  }
}

TEST(Stream, OfAHandlerThatThrowsHasNoEnd) {
  for (const bool is_http_1_0 : {false, true}) {
    Serving app([](RequestCtx& ctx) -> Task<> {
      (void)co_await ctx.write("one");
      throw std::runtime_error("no");
    });
    Peer peer = app.connect();
    peer.send(is_http_1_0 ? "GET / HTTP/1.0\r\n\r\n" : std::string(kGet) + std::string(kGet));
    EXPECT_THAT(peer.received(), EndsWith(is_http_1_0 ? "\r\n\r\none" : "\r\n\r\n3\r\none\r\n"));
    EXPECT_TRUE(peer.closed());
    EXPECT_EQ(peer.was_reset(), is_http_1_0) << "an orderly end would look like that of the body";
    EXPECT_EQ(app.worker().metrics().handlers_threw.get(), 1U);
  }
}

}  // namespace
}  // namespace pipette::server
