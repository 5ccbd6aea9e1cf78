// A client among servers that are broken, or mean it harm: whatever they say, and wherever they fall silent, a call
// ends with its answer or with the one error that tells why, and the client is as good as before.
#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/client/client.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/scripted_server.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using http::Method;

const std::string kUrl = "http://app/";
const std::string kOk = "HTTP/1.1 200 OK\r\n";
const std::string kForged = lab::respond(200, "forged");

net::ChannelOptions octet_by_octet() {
  net::ChannelOptions pipes;
  pipes.max_read_bytes = 1;
  return pipes;
}

// No read joins what was said at two times.
net::ChannelOptions write_by_write() {
  net::ChannelOptions pipes;
  pipes.coalesce = false;
  return pipes;
}

std::string name_of(Errc error) { return error == Errc{} ? "no error" : make_error_code(error).message(); }

// A client that calls whoever is at app:80, and the good server next door.
class Bystander {
 public:
  explicit Bystander(ClientOptions options = {}, const net::ChannelOptions& pipes = {})
      : good_(with_pipes(pipes), "good:80"), client_(lab_.runtime(), std::move(options)) {
    good_.on("GET *", lab::respond(200, "good"));
  }

  Lab& lab() { return lab_; }
  Client& client() { return client_; }
  const Response& response() const { return response_; }

  Errc call(Method method = Method::get) {
    Request request;
    request.method = method;
    request.url = kUrl;
    const Result<void> done = lab_.run(client_.call(request, response_));
    return done ? Errc{} : errc_of(done.error());
  }

  // The client has kept so many connections, and is otherwise as it was. Its lab looks for what has leaked.
  void expect_unharmed(std::size_t kept) {
    EXPECT_EQ(client_.open_connections(), kept);
    EXPECT_EQ(client_.idle_connections(), kept);
    const Result<Response> page = lab_.run(client_.get("http://good/"));
    ASSERT_TRUE(page) << page.error().message();
    EXPECT_EQ(page->body, "good");
    client_.close_idle();
    lab_.settle();
    EXPECT_EQ(client_.open_connections(), 0U);
    EXPECT_EQ(lab_.world().scheduler().next_deadline(), kNever) << "a timer is left";
  }

 private:
  Lab& with_pipes(const net::ChannelOptions& pipes) {
    lab_.world().network().set_pipe_options(pipes);
    return lab_;
  }

  Lab lab_;
  ScriptedServer good_;
  Client client_;
  Response response_;
};

// ---- cut short -------------------------------------------------------------------------------------------

struct Cut {
  std::string name;
  Method method;
  std::string head;  // and what comes before it
  std::string rest;
  std::string body;
  bool ends_with_connection = false;
};

std::vector<Cut> cuts() {
  const std::string chunks = "3\r\nHel\r\n2;a=\"b\"\r\nlo\r\n0\r\nDigest: x\r\n\r\n";
  return {
      {"Length", Method::get, kOk + "X: y\r\nContent-Length: 5\r\n\r\n", "Hello", "Hello"},
      {"Chunks", Method::get, kOk + "Transfer-Encoding: chunked\r\n\r\n", chunks, "Hello"},
      {"UntilClose", Method::get, kOk + "X: y\r\n\r\n", "Hello", "Hello", true},
      {"Http10", Method::get, "HTTP/1.0 200 OK\r\n\r\n", "Hello", "Hello", true},
      {"Interim", Method::post, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + kOk + "Content-Length: 5\r\n\r\n",
       "Hello", "Hello"},
      {"InterimAndChunks", Method::get, "HTTP/1.1 100 Continue\r\n\r\n" + kOk + "Transfer-Encoding: chunked\r\n\r\n",
       chunks, "Hello"},
      {"Head", Method::head, kOk + "Content-Length: 5\r\n\r\n", "", ""},
      {"NoContent", Method::put, "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", "", ""},
      {"NotModified", Method::get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", ""},
      {"EmptyBody", Method::get, kOk + "Content-Length: 0\r\n\r\n", "", ""},
  };
}

class HostileCut : public testing::TestWithParam<Cut> {};

INSTANTIATE_TEST_SUITE_P(All, HostileCut, testing::ValuesIn(cuts()),
                         [](const testing::TestParamInfo<Cut>& of) { return of.param.name; });

TEST_P(HostileCut, IsNoticedWhereverTheServerCloses) {
  const Cut& cut = GetParam();
  const std::string octets = cut.head + cut.rest;
  for (std::size_t size = 0; size <= octets.size(); ++size) {
    Bystander stander;
    ScriptedServer server(stander.lab(), "app:80");
    server.answer_and_close(octets.substr(0, size));
    const bool has_head = size >= cut.head.size();
    const bool is_whole = size == octets.size();
    const Errc cut_short = has_head ? Errc::incomplete_message : Errc::end_of_stream;
    const bool is_answer = is_whole || (has_head && cut.ends_with_connection);
    EXPECT_EQ(stander.call(cut.method), is_answer ? Errc{} : cut_short) << size;
    const std::string part = has_head ? cut.rest.substr(0, size - cut.head.size()) : "";
    if (is_answer) {
      EXPECT_EQ(stander.response().body, is_whole ? cut.body : part);
    }
    EXPECT_EQ(server.requests().size(), 1U) << "on a new connection nothing is repeated";
    stander.expect_unharmed(is_whole && !cut.ends_with_connection ? 1 : 0);
  }
}

TEST_P(HostileCut, IsNoticedWhereverTheServerResets) {
  const Cut& cut = GetParam();
  const std::string octets = cut.head + cut.rest;
  for (std::size_t size = 0; size <= octets.size(); ++size) {
    Bystander stander;
    ScriptedServer server(stander.lab(), "app:80");
    server.answer(Script().send(octets.substr(0, size)).wait(1ms).abort());
    const bool is_answer = size == octets.size() && !cut.ends_with_connection;
    EXPECT_EQ(stander.call(cut.method), is_answer ? Errc{} : Errc::connection_reset) << size;
    EXPECT_EQ(server.requests().size(), 1U);
    EXPECT_EQ(stander.client().idle_connections(), is_answer ? 1U : 0U);
    stander.lab().advance(1ms);
    server.answer(lab::respond(200, "next"));
    EXPECT_EQ(stander.call(), Errc{}) << size;
    EXPECT_EQ(stander.response().body, "next");
    EXPECT_EQ(server.accepted(), 2U);
    stander.expect_unharmed(1);
  }
}

TEST_P(HostileCut, IsNoticedWhereverTheServerFallsSilent) {
  const Cut& cut = GetParam();
  const std::string octets = cut.head + cut.rest;
  ClientOptions options;
  options.response_header_timeout = 3s;
  options.body_timeout = 5s;
  for (std::size_t size = 0; size <= octets.size(); ++size) {
    Bystander stander(options);
    ScriptedServer server(stander.lab(), "app:80");
    server.answer(octets.substr(0, size));
    const bool has_head = size >= cut.head.size();
    const bool is_answer = size == octets.size() && !cut.ends_with_connection;
    const Errc late = has_head ? Errc::body_timeout : Errc::response_header_timeout;
    EXPECT_EQ(stander.call(cut.method), is_answer ? Errc{} : late) << size;
    EXPECT_EQ(stander.lab().elapsed(), is_answer ? 0s : has_head ? 5s : 3s) << size;
    stander.expect_unharmed(is_answer ? 1 : 0);
  }
}

// ---- malformed -------------------------------------------------------------------------------------------

struct Said {
  std::string octets;
  Errc error{};  // none: it is a response
  std::string body = {};
};

// What a server says before it closes means the same however it arrives, and what it says too much answers nothing.
void expect_each(const std::vector<Said>& rows, Method method = Method::get) {
  for (const Said& row : rows) {
    for (const net::ChannelOptions& pipes : {net::ChannelOptions(), octet_by_octet()}) {
      Bystander stander({}, pipes);
      ScriptedServer server(stander.lab(), "app:80");
      server.answer_and_close(row.octets);
      const Errc error = stander.call(method);
      EXPECT_EQ(error, row.error) << testing::PrintToString(row.octets) << "\n" << name_of(error);
      if (error == Errc{}) {
        EXPECT_EQ(stander.response().body, row.body) << row.octets;
      }
      EXPECT_EQ(server.requests().size(), 1U);
      server.answer(lab::respond(200, "next"));
      EXPECT_EQ(stander.call(), Errc{});
      EXPECT_EQ(stander.response().body, "next");
      EXPECT_EQ(server.accepted(), 2U);
      stander.expect_unharmed(1);
    }
  }
}

TEST(Hostile, LengthsThatAreNoneAreRefused) {
  const auto with_length = [](const std::string& value) { return kOk + "Content-Length:" + value + "\r\n\r\nHello"; };
  std::vector<Said> rows;
  for (const std::string value : {" -5", " +5", " 0x5", " 5;", " 5 5", " 5,5", " 5, 6", " ,5", "", " ", " five", " 5.0",
                                  " \"5\"", " 18446744073709551616", " 99999999999999999999999999999999"}) {
    rows.push_back({with_length(value), Errc::bad_content_length});
  }
  rows.push_back({with_length(" 5\0"s), Errc::bad_field_value});
  rows.push_back({with_length(" 18446744073709551615"), Errc::body_too_large});
  rows.push_back({with_length(" 9223372036854775808"), Errc::body_too_large});
  rows.push_back({with_length(" 5\r\nContent-Length: 5"), Errc::bad_content_length});
  rows.push_back({with_length(" 5\r\ncontent-length: 6"), Errc::bad_content_length});
  rows.push_back({with_length(" 5\r\nTransfer-Encoding: chunked"), Errc::conflicting_framing});
  rows.push_back({with_length(" 5\r\nTransfer-Encoding: identity"), Errc::conflicting_framing});
  expect_each(rows);
}

TEST(Hostile, LengthsThatAreWrongAreBelieved) {
  expect_each({
      {kOk + "Content-Length: 3\r\n\r\nHello", Errc{}, "Hel"},
      {kOk + "Content-Length: 0\r\n\r\nHello", Errc{}, ""},
      {kOk + "Content-Length: 6\r\n\r\nHello", Errc::incomplete_message},
      {kOk + "Content-Length: 67108864\r\n\r\nHello", Errc::incomplete_message},
      {kOk + "Content-Length: 67108865\r\n\r\nHello", Errc::body_too_large},
  });
}

TEST(Hostile, LengthsMeanNothingWhereThereIsNoBody) {
  for (const std::string& fields :
       {"Content-Length: 5\r\nContent-Length: 6\r\n"s, "Content-Length: -5\r\n"s,
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"s, "Transfer-Encoding: gzip\r\n"s}) {
    expect_each({{kOk + fields + "\r\n"}}, Method::head);
    expect_each({{"HTTP/1.1 204 No Content\r\n" + fields + "\r\n"}});
    expect_each({{"HTTP/1.1 304 Not Modified\r\n" + fields + "\r\n"}});
    expect_each({{kOk + fields + "\r\nHello"}}, Method::head);
  }
}

TEST(Hostile, ChunksThatAreNoneAreRefused) {
  const auto chunked = [](const std::string& rest) { return kOk + "Transfer-Encoding: chunked\r\n\r\n" + rest; };
  expect_each({
      {chunked("ffffffffffffffff\r\nHello"), Errc::body_too_large},
      {chunked("10000000000000000\r\nHello"), Errc::bad_chunk},
      {chunked("8000000000000005\r\nHello\r\n0\r\n\r\n"), Errc::body_too_large},
      {chunked("-5\r\nHello\r\n0\r\n\r\n"), Errc::bad_chunk},
      {chunked("0x5\r\nHello\r\n0\r\n\r\n"), Errc::bad_chunk},
      {chunked(" 5\r\nHello\r\n0\r\n\r\n"), Errc::bad_chunk},
      {chunked("\r\n5\r\nHello\r\n0\r\n\r\n"), Errc::bad_chunk},
      {chunked("5\nHello\r\n0\r\n\r\n"), Errc::bad_chunk},
      {chunked("5\rHello\r\n0\r\n\r\n"), Errc::bad_chunk},
      {chunked("5\r\nHello\n0\r\n\r\n"), Errc::bad_chunk},
      {chunked("5\r\nHello0\r\n\r\n"), Errc::bad_chunk},
      {chunked("5\r\nHello, world\r\n0\r\n\r\n"), Errc::bad_chunk},
      {chunked("5;a=\"\r\nHello\r\n0\r\n\r\n"), Errc::bad_chunk},
      {chunked("5;a\0\r\nHello\r\n0\r\n\r\n"s), Errc::bad_chunk},
      {chunked("5\r\nHello\r\n0\r\nT: \r\r\n\r\n"), Errc::bad_line_end},
      {chunked("5\r\nHello\r\n0\r\nT: a\nU: b\r\n\r\n"), Errc::bad_line_end},
      {chunked("5\r\nHello\r\n0\r\n\r\njunk"), Errc{}, "Hello"},
      {chunked("5\r\nHello\r\n0\r\nContent-Length: 1\r\n\r\njunk"), Errc{}, "Hello"},
      {chunked("Hello"), Errc::bad_chunk},
  });
}

TEST(Hostile, WhatIsNotHttpIsRefused) {
  expect_each({
      {"Hello, this is HTTP/0.9", Errc::end_of_stream},
      {"<html>\n<p>Hello, this is HTTP/0.9, and more of it\n</html>\n", Errc::bad_status},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Errc::bad_version},
      {"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\x40\0\0\0"s, Errc::end_of_stream},
      {"\x15\x03\x01\0\x02\x02\x28"s, Errc::end_of_stream},
      {"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", Errc::bad_version},
      {"GET / HTTP/1.1\r\nHost: client\r\n\r\n", Errc::bad_version},
      {std::string(4000, '\0'), Errc::bad_status},
      {std::string(4000, '\xff') + "\r\n\r\n", Errc::bad_status},
      {"\r\n" + kOk + "\r\n", Errc::bad_status},
      {"http/1.1 200 OK\r\n\r\n", Errc::bad_version},
      {"HTTP/1.10 200 OK\r\n\r\n", Errc::bad_status},
      {"HTTP/3.0 200 OK\r\n\r\n", Errc::unsupported_version},
      {"HTTP/0.9 200 OK\r\n\r\n", Errc::unsupported_version},
      {"HTTP/1.1200 OK\r\n\r\n", Errc::bad_status},
      {"HTTP/1.1  200 OK\r\n\r\n", Errc::bad_status},
      {"HTTP/1.1\t200 OK\r\n\r\n", Errc::bad_status},
      {"HTTP/1.1 -20 OK\r\n\r\n", Errc::bad_status},
      {"HTTP/1.1 200OK\r\n\r\n", Errc::bad_status},
      {"HTTP/1.1 \r\n\r\n", Errc::bad_status},
  });
}

TEST(Hostile, ControlOctetsInAHeadAreRefused) {
  expect_each({
      {"HTTP/1.1 200 O\0K\r\n\r\n"s, Errc::bad_status},
      {"HTTP/1.1 200 O\rK\r\n\r\n", Errc::bad_line_end},
      {"HTTP/1.1 200 OK\r\r\n\r\n", Errc::bad_line_end},
      {"HTTP/1.1 200 OK\n\r\n", Errc::bad_line_end},
      {"HTTP/1.1 200 O\x7fK\r\n\r\n", Errc::bad_status},
      {kOk + "X: a\0b\r\n\r\n"s, Errc::bad_field_value},
      {kOk + "X: a\x0b"
             "b\r\n\r\n",
       Errc::bad_field_value},
      {kOk + "X: a\x7f"
             "b\r\n\r\n",
       Errc::bad_field_value},
      {kOk + "X: a\rSet-Cookie: b\r\n\r\n", Errc::bad_line_end},
      {kOk + "X: a\r\r\n\r\n", Errc::bad_line_end},
      {kOk + "X: a\n\r\n", Errc::bad_line_end},
      {kOk + "X: a\r\n\n", Errc::bad_line_end},
      {kOk + "X\0: a\r\n\r\n"s, Errc::bad_field_name},
      {kOk + "X\r: a\r\n\r\n", Errc::bad_field_name},
      {kOk + "X\t: a\r\n\r\n", Errc::bad_field_name},
      {kOk + ": a\r\n\r\n", Errc::bad_field_name},
      {kOk + "no colon\r\n\r\n", Errc::bad_field_name},
      {kOk + "\xc3\xa9: a\r\n\r\n", Errc::bad_field_name},
      {kOk + "X: \xc3\xa9\r\nContent-Length: 0\r\n\r\nno more", Errc{}, ""},
  });
}

TEST(Hostile, FoldedLinesAreOneLine) {
  const std::string folded = kOk + "X: a\r\n  b\r\n\tc\r\nContent-Length:\r\n 5\r\n\r\n";
  for (const net::ChannelOptions& pipes : {net::ChannelOptions(), octet_by_octet()}) {
    Bystander stander({}, pipes);
    ScriptedServer server(stander.lab(), "app:80");
    for (const std::string body : {"Hello", "Again", "Twice"}) {  // the same head again, on the same connection
      server.answer(folded + body);
      EXPECT_EQ(stander.call(), Errc{});
      EXPECT_EQ(stander.response().header("X"), "a b c");
      EXPECT_EQ(stander.response().body, body);
    }
    EXPECT_EQ(server.accepted(), 1U);
    stander.expect_unharmed(1);
  }
  expect_each({
      {kOk + " X: a\r\n\r\n", Errc::bad_field_name},
      {kOk + "X: a\r\n\0\r\n\r\n"s, Errc::bad_field_name},
      {kOk + "X: a\r\n \0\r\n\r\n"s, Errc::bad_field_value},
      {kOk + "X: a\r\n b\n\r\n", Errc::bad_line_end},
      {kOk + "Content-Length: 1\r\n 0\r\n\r\n0123456789", Errc::bad_content_length},
      {kOk + "Transfer-Encoding: chunked\r\n\r\n0\r\nT: a\r\n b\r\n\r\n", Errc::obsolete_line_folding},
  });
}

// ---- without an end --------------------------------------------------------------------------------------

// Says `beginning` to the first request that comes, and then `piece` again and again, for as long as somebody takes it.
class Flood {
 public:
  Flood(Lab& lab, std::string beginning, std::string piece, Duration pause = {})
      : loop_(lab.world().loop()),
        beginning_(std::move(beginning)),
        piece_(std::move(piece)),
        pause_(pause),
        tasks_(lab.world().loop()) {
    const net::Address address = *net::Address::parse("app:80");
    tasks_.spawn(serve(std::move(*lab.runtime_of(address).network().listen(address))));
  }

  std::size_t taken() const { return taken_; }
  bool is_over() const { return tasks_.empty(); }

 private:
  Task<> serve(std::unique_ptr<net::Listener> listener) {
    Result<net::Connected> connected = co_await listener->accept();
    net::Connection& stream = *connected->connection;
    std::array<char, 1024> room;
    (void)co_await stream.read_some(room);
    Result<void> went;
    for (Bytes next = beginning_; went; next = piece_) {
      const std::array<Bytes, 1> pieces = {next};
      went = co_await stream.write(pieces);
      if (went) taken_ += next.size();
      if (pause_ > 0s) co_await async::sleep_until(loop_, after(loop_.now(), pause_));
    }
  }

  inmem::Loop& loop_;
  std::string beginning_;
  std::string piece_;
  Duration pause_;
  std::size_t taken_ = 0;
  async::TaskGroup tasks_;
};

struct Endless {
  std::string name;
  std::string beginning;
  std::string piece;
  Errc error;
  std::size_t most;  // octets that may be read before it is an error
};

std::vector<Endless> endless() {
  const std::string chunked = kOk + "Transfer-Encoding: chunked\r\n\r\n";
  const std::size_t kBody = 1'000'000;
  const std::size_t kOverhead = 16 * 1024;
  return {
      {"Reason", "HTTP/1.1 200 ", "r", Errc::bad_status, 4096},
      {"EmptyLines", "", "\r\n", Errc::bad_status, 4096},
      {"FieldName", kOk, "n", Errc::field_too_large, 16 * 1024},
      {"FieldValue", kOk + "X: ", "v", Errc::field_too_large, 16 * 1024},
      {"Fold", kOk + "X: ", "v\r\n ", Errc::field_too_large, 16 * 1024},
      {"Fields", kOk, "X: y\r\n", Errc::too_many_fields, 16 * 1024},
      {"LargeFields", kOk, "X: " + std::string(1000, 'y') + "\r\n", Errc::head_too_large, 64 * 1024},
      {"Interim", "", "HTTP/1.1 102 Processing\r\n\r\n", Errc::too_many_interim_responses, 4096},
      {"LargeInterim", "", "HTTP/1.1 103 E\r\nX: " + std::string(16'000, 'y') + "\r\n\r\n",
       Errc::too_many_interim_responses, 101 * 16 * 1024},
      {"ChunkSize", chunked, "0", Errc::bad_chunk, 4096},
      {"ChunkExtension", chunked + "5;", "x", Errc::chunk_overhead_too_large, kOverhead},
      {"QuotedExtension", chunked + "5;a=\"", "x", Errc::chunk_overhead_too_large, kOverhead},
      // Each chunk is forgiven most of these, so that many are read.
      {"ExtensionsOfChunks", chunked, "1;xxxxxxxxxxxxxxxx\r\nx\r\n", Errc::chunk_overhead_too_large, 12 * kOverhead},
      {"Chunk", chunked + "fffffff\r\n", "x", Errc::body_too_large, 4096},
      {"Chunks", chunked, "a\r\n0123456789\r\n", Errc::body_too_large, 2 * kBody},
      {"SmallChunks", chunked, "1\r\nx\r\n", Errc::body_too_large, 6 * kBody},
      {"TrailerFields", chunked + "0\r\n", "T: t\r\n", Errc::too_many_fields, 16 * 1024},
      {"TrailerValue", chunked + "0\r\nT: ", "t", Errc::field_too_large, 16 * 1024},
      {"Body", kOk + "\r\n", "xxxxxxxxxxxxxxxx", Errc::body_too_large, kBody},
  };
}

class HostileFlood : public testing::TestWithParam<Endless> {};

INSTANTIATE_TEST_SUITE_P(All, HostileFlood, testing::ValuesIn(endless()),
                         [](const testing::TestParamInfo<Endless>& of) { return of.param.name; });

// What an octet costs is bounded too, so the client cannot have kept more than it has read.
TEST_P(HostileFlood, IsReadUpToItsLimit) {
  const Endless& row = GetParam();
  net::ChannelOptions pipes;
  pipes.send_buffer_bytes = pipes.receive_buffer_bytes = 4096;
  ClientOptions options;
  options.max_response_body_bytes = 1'000'000;
  options.timeout = options.response_header_timeout = options.body_timeout = Duration::max();
  Bystander stander(options, pipes);
  const Flood flood(stander.lab(), row.beginning, row.piece);
  const Errc error = stander.call();
  EXPECT_EQ(error, row.error) << name_of(error);
  stander.lab().settle();
  EXPECT_TRUE(flood.is_over());
  const std::size_t a_read = row.error == Errc::body_too_large ? 64 * 1024 : 4096;
  EXPECT_LE(flood.taken(), row.most + a_read + 2 * 4096 + row.piece.size()) << "a read, and what the pipe holds";
  stander.expect_unharmed(0);
}

// Whatever trickles in, an octet a second, ends in time.
TEST(Hostile, TricklesEndInTime) {
  struct Row {
    std::string beginning;
    std::string_view piece;
    Errc error;
    Duration time;
  };
  const std::string chunked = kOk + "Transfer-Encoding: chunked\r\n\r\n";
  for (const Row& row : {
           Row{"H", "H", Errc::response_header_timeout, 20s},
           Row{"HTTP/1.1 200 ", "r", Errc::response_header_timeout, 20s},
           Row{kOk + "X: ", "v", Errc::response_header_timeout, 20s},
           Row{kOk, "X: y\r\n", Errc::response_header_timeout, 20s},
           Row{"", "HTTP/1.1 102 Processing\r\n\r\n", Errc::response_header_timeout, 20s},
           Row{kOk + "Content-Length: 1000\r\n\r\n", "x", Errc::timed_out, 60s},
           Row{kOk + "\r\n", "x", Errc::timed_out, 60s},
           Row{chunked, "0", Errc::bad_chunk, 17s},
           Row{chunked + "5;", "x", Errc::timed_out, 60s},
           Row{chunked, "1\r\nx\r\n", Errc::timed_out, 60s},
           Row{chunked + "0\r\n", "T: t\r\n", Errc::timed_out, 60s},
       }) {
    ClientOptions options;
    options.response_header_timeout = 20s;
    options.body_timeout = 5s;
    options.timeout = 60s;
    Bystander stander(options);
    const Flood flood(stander.lab(), row.beginning, std::string(row.piece), 1s);
    const Errc error = stander.call();
    EXPECT_EQ(error, row.error) << row.beginning << row.piece << "\n" << name_of(error);
    EXPECT_EQ(stander.lab().elapsed(), row.time) << row.beginning << row.piece;
    stander.lab().advance(2s);
    EXPECT_TRUE(flood.is_over()) << "the client has left";
    stander.expect_unharmed(0);
  }
}

TEST(Hostile, TricklesAreTakenByWhoHasTheTime) {
  ClientOptions options;
  options.timeout = Duration::max();
  Bystander stander(options);
  ScriptedServer server(stander.lab(), "app:80");
  const std::string body(100, 'x');
  const std::string head = "HTTP/1.1 200\r\nContent-Length: 100\r\n\r\n";
  server.answer(Script().send(head).send_slowly(body, 29s));
  EXPECT_EQ(stander.call(), Errc{});
  EXPECT_EQ(stander.response().body, body);
  EXPECT_EQ(stander.lab().elapsed(), 99 * 29s);
  stander.expect_unharmed(1);
}

// ---- said at the wrong time ------------------------------------------------------------------------------

TEST(Hostile, WhatStandsBehindAResponseAnswersNothing) {
  struct Row {
    Method method;
    std::string response;
  };
  for (const Row& row : {
           Row{Method::get, lab::respond(200, "first")},
           Row{Method::get, kOk + "Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n"},
           Row{Method::get, "HTTP/1.1 204 No Content\r\n\r\n"},
           Row{Method::get, "HTTP/1.1 304 Not Modified\r\n\r\n"},
           Row{Method::head, kOk + "Content-Length: 5\r\n\r\n"},
           Row{Method::post, "HTTP/1.1 103 Early Hints\r\n\r\n" + lab::respond(201)},
       }) {
    for (const std::string& extra : {kForged, "x"s, "\r\n"s, "first"s, "HTTP/1.1 100 Continue\r\n\r\n"s, "\0"s}) {
      for (const Script& script : {Script().send(row.response + extra), Script().send(row.response).send(extra),
                                   Script().send(row.response).wait(1ms).send(extra)}) {
        Bystander stander({}, write_by_write());
        ScriptedServer server(stander.lab(), "app:80");
        server.answer(script);
        EXPECT_EQ(stander.call(row.method), Errc{});
        EXPECT_NE(stander.response().body, "forged");
        stander.lab().advance(1ms);
        server.answer(lab::respond(200, "second"));
        EXPECT_EQ(stander.call(Method::post), Errc{});
        EXPECT_EQ(stander.response().body, "second") << row.response << extra;
        EXPECT_EQ(server.accepted(), 2U) << row.response << extra;
        EXPECT_EQ(server.requests().size(), 2U);
        stander.expect_unharmed(1);
      }
    }
  }
}

// What is large is received where it is to stand.
TEST(Hostile, WhatStandsBehindALargeResponseIsNoPartOfIt) {
  for (const std::size_t size : {65'000U, 70'000U, 100'000U, 140'000U, 300'000U}) {
    const std::string body(size, 'a');
    Bystander stander;
    ScriptedServer server(stander.lab(), "app:80");
    server.answer(lab::respond(200, body) + kForged);
    EXPECT_EQ(stander.call(), Errc{});
    EXPECT_TRUE(stander.response().body == body) << size << ", and not " << stander.response().body.size();
    stander.lab().advance(1ms);
    server.answer(lab::respond(200, "second"));
    EXPECT_EQ(stander.call(), Errc{});
    EXPECT_EQ(stander.response().body, "second") << size;
    EXPECT_EQ(server.accepted(), 2U) << size;
  }
}

TEST(Hostile, WhatIsSaidWhileAConnectionIdlesAnswersNothing) {
  for (const std::string& unasked : {kForged, kForged + kForged, kForged.substr(0, 20), "x"s, "\r\n"s,
                                     "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"s}) {
    for (const bool is_closed : {false, true}) {
      for (const Method method : {Method::get, Method::post, Method::put}) {
        Bystander stander;
        ScriptedServer server(stander.lab(), "app:80");
        server.answer(lab::respond(200, "first"));
        ASSERT_EQ(stander.call(), Errc{});
        stander.lab().advance(1s);
        server.say(0, unasked);
        if (is_closed) server.close(0);
        server.answer(lab::respond(200, "second"));
        EXPECT_EQ(stander.call(method), Errc{});
        EXPECT_EQ(stander.response().body, "second");
        EXPECT_EQ(server.accepted(), 2U);
        EXPECT_EQ(server.requests().size(), 2U);
        stander.expect_unharmed(1);
      }
    }
  }
}

// Every connection that idles has been poisoned: none of them is used.
TEST(Hostile, ManyConnectionsThatSpeakUnaskedAreAllLeft) {
  Bystander stander;
  ScriptedServer server(stander.lab(), "app:80");
  async::TaskGroup group(stander.lab().world().loop());
  const auto discard = [](Task<Result<Response>> task) -> Task<> { (void)co_await task; };
  for (int i = 0; i < 5; ++i) {
    server.answer(lab::respond(200, "first"));
    group.spawn(discard(stander.client().get(kUrl)));
  }
  stander.lab().settle();
  ASSERT_EQ(stander.client().idle_connections(), 5U);
  for (std::size_t i = 0; i < 5; ++i) server.say(i, kForged);
  server.answer(lab::respond(200, "second"));
  EXPECT_EQ(stander.call(), Errc{});
  EXPECT_EQ(stander.response().body, "second");
  stander.expect_unharmed(1);
}

// A server that speaks first, as one for mail does; `then` is its answer to the request.
class Greeter {
 public:
  Greeter(Lab& lab, std::string greeting, std::string then)
      : greeting_(std::move(greeting)), then_(std::move(then)), tasks_(lab.world().loop()) {
    const net::Address address = *net::Address::parse("app:80");
    tasks_.spawn(serve(std::move(*lab.runtime_of(address).network().listen(address))));
  }

 private:
  Task<> serve(std::unique_ptr<net::Listener> listener) {
    for (;;) {
      Result<net::Connected> connected = co_await listener->accept();
      if (!connected) co_return;
      net::Connection& stream = *connected->connection;
      std::array<Bytes, 1> pieces = {greeting_};
      Result<void> went = co_await stream.write(pieces);
      std::array<char, 1024> room;
      for (;;) {
        const Result<std::size_t> count = co_await stream.read_some(room);
        if (!went || !count || *count == 0) break;
        pieces = {then_};
        went = co_await stream.write(pieces);
      }
    }
  }

  std::string greeting_;
  std::string then_;
  async::TaskGroup tasks_;
};

TEST(Hostile, AGreetingIsNoAnswerToTwoCalls) {
  for (const net::ChannelOptions& pipes : {net::ChannelOptions(), write_by_write()}) {
    Bystander stander({}, pipes);
    const Greeter server(stander.lab(), lab::respond(200, "greeting"), lab::respond(200, "answer"));
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(stander.call(), Errc{});
      stander.lab().settle();
    }
    EXPECT_EQ(stander.client().counts().reused, 0U) << "what was asked first would answer what is asked next";
    stander.client().close_idle();
    stander.expect_unharmed(0);
  }
}

TEST(Hostile, AGreetingThatIsNotHttpIsRefused) {
  Bystander stander;
  const Greeter server(stander.lab(), "220 mail.example ESMTP ready\r\n", "500 what?\r\n");
  EXPECT_EQ(stander.call(), Errc::bad_version);
  stander.expect_unharmed(0);
}

}  // namespace
}  // namespace pipette::client
