// What a client makes of what comes back (RFC 9112 §4, §6, §7, §8; RFC 9110 §15.2).
#include "pipette/client/response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "pipette/client/client.h"
#include "pipette/lab/scripted_server.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;

const std::string kUrl = "http://app/";

// The result of one call to a server that says `octets`, then what `then` says.
struct Outcome {
  Errc error{};  // none when value-initialized
  Response response;
  std::size_t kept = 0;
};

Outcome outcome_of(std::string_view octets, http::Method method = http::Method::get,
                   const net::ChannelOptions& pipes = {}, ClientOptions options = {}) {
  Lab lab;
  lab.world().network().set_pipe_options(pipes);
  ScriptedServer server(lab, "app:80");
  server.answer_and_close(std::string(octets));
  Client client(lab.runtime(), std::move(options));
  Request request;
  request.url = kUrl;
  request.method = method;
  Outcome outcome;
  const Result<void> done = lab.run(client.call(request, outcome.response));
  if (!done) outcome.error = errc_of(done.error());
  outcome.kept = client.idle_connections();
  return outcome;
}

TEST(ClientResponse, IsTakenWhole) {
  const Outcome outcome = outcome_of(
      "HTTP/1.1 203 Non-Authoritative\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nX:\t v \r\nContent-Length: 5\r\n\r\nHello");
  EXPECT_EQ(outcome.error, Errc{});
  EXPECT_EQ(outcome.response.status, 203);
  EXPECT_EQ(outcome.response.reason, "Non-Authoritative");
  EXPECT_EQ(outcome.response.fields.size(), 4U);
  EXPECT_EQ(outcome.response.fields[1].value, "b");
  EXPECT_EQ(outcome.response.header("x"), "v");
  EXPECT_EQ(outcome.response.body, "Hello");
  EXPECT_EQ(outcome.kept, 1U);
}

TEST(ClientResponse, EndsWhereItsFramingSays) {
  struct Row {
    std::string_view octets;
    std::string_view body;
  };
  for (const Row& row : {
           Row{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc"},
           Row{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", "abc"},
           Row{"HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n3\r\nabc\r\n0\r\nTrailer: t\r\nB: c\r\n\r\n",
               "abc"},
           Row{"HTTP/1.1 200 OK\r\n\r\nabc", "abc"},
           Row{"HTTP/1.0 200 OK\r\n\r\n", ""},
           Row{"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nabc", "abc"},
           Row{"HTTP/1.1 204 No Content\r\n\r\n", ""},
           Row{"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", ""},
           Row{"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", ""},
           Row{"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", ""},
           Row{"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", ""},
           Row{"HTTP/1.1 456\r\nContent-Length: 0\r\n\r\n", ""},
           Row{"HTTP/1.1 999 \r\nContent-Length: 0\r\n\r\n", ""},
       }) {
    const Outcome outcome = outcome_of(row.octets);
    EXPECT_EQ(outcome.error, Errc{}) << row.octets;
    EXPECT_EQ(outcome.response.body, row.body) << row.octets;
  }
}

TEST(ClientResponse, HasNoBodyWhenItAnswersHead) {
  for (const std::string_view framing : {"Content-Length: 100\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n", "\r\n"}) {
    const Outcome outcome = outcome_of("HTTP/1.1 200 OK\r\n" + std::string(framing), http::Method::head);
    EXPECT_EQ(outcome.error, Errc{}) << framing;
    EXPECT_EQ(outcome.response.body, "");
    EXPECT_EQ(outcome.kept, 1U) << framing;
  }
}

TEST(ClientResponse, IsRefusedWhenItIsMalformed) {
  struct Row {
    std::string octets;
    Errc error;
  };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const Row& row : {
           Row{"220 smtp ready\r\n\r\n", Errc::bad_version},
           Row{"HTTP/1.1 20 OK\r\n\r\n", Errc::bad_status},
           Row{"HTTP/1.1 2000 OK\r\n\r\n", Errc::bad_status},
           Row{"HTTP/1.1 2x0 OK\r\n\r\n", Errc::bad_status},
           Row{"HTTP/1.1 099 OK\r\n\r\n", Errc::bad_status},
           Row{"HTTP/2.0 200 OK\r\n\r\n", Errc::unsupported_version},
           Row{"HTTP/1.1 200 OK\n\n", Errc::bad_line_end},
           Row{ok + "X : y\r\n\r\n", Errc::bad_field_name},
           Row{ok + " X: a\r\n\r\n", Errc::bad_field_name},
           Row{ok + "X: a\nY: b\r\n\r\n", Errc::bad_line_end},
           Row{ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", Errc::bad_content_length},
           Row{ok + "Content-Length: 1, 1\r\n\r\nx", Errc::bad_content_length},
           Row{ok + "Content-Length: -1\r\n\r\nx", Errc::bad_content_length},
           Row{ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Errc::conflicting_framing},
           Row{ok + "Transfer-Encoding: gzip\r\n\r\n", Errc::unknown_transfer_coding},
           Row{ok + "Transfer-Encoding: chunked, gzip\r\n\r\n", Errc::bad_transfer_coding},
           Row{ok + "Transfer-Encoding:\r\n\r\n", Errc::bad_transfer_coding},
           Row{"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Errc::bad_transfer_coding},
           Row{ok + "Transfer-Encoding: chunked\r\n\r\nx\r\n", Errc::bad_chunk},
           Row{ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", Errc::bad_chunk},
           Row{ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nbad trailer\r\n\r\n", Errc::bad_field_name},
       }) {
    const Outcome outcome = outcome_of(row.octets);
    EXPECT_EQ(outcome.error, row.error) << row.octets << "\n" << make_error_code(outcome.error).message();
    EXPECT_EQ(outcome.kept, 0U) << row.octets;
  }
}

TEST(ClientResponse, IsRefusedWhenItIsCutShort) {
  for (const std::string_view octets :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfour",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n"}) {
    EXPECT_EQ(outcome_of(octets).error, Errc::incomplete_message) << octets;
  }
  for (const std::string_view octets : {"", "HTTP/1.1", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nX: y\r\n"}) {
    EXPECT_EQ(outcome_of(octets).error, Errc::end_of_stream) << octets;
  }
}

TEST(ClientResponse, MayBeAsLongAsTheLimitAndNotLonger) {
  ClientOptions options;
  options.max_response_body_bytes = 1000;
  const std::string body(1001, 'x');
  for (const std::size_t size : {1000U, 1001U}) {
    const Errc expected = size <= 1000 ? Errc{} : Errc::body_too_large;
    const std::string part = body.substr(0, size);
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    EXPECT_EQ(
        outcome_of(ok + "Content-Length: " + std::to_string(size) + "\r\n\r\n" + part, http::Method::get, {}, options)
            .error,
        expected);
    const std::string chunks = size == 1000 ? "3e8\r\n" : "3e9\r\n";
    EXPECT_EQ(outcome_of(ok + "Transfer-Encoding: chunked\r\n\r\n" + chunks + part + "\r\n0\r\n\r\n", http::Method::get,
                         {}, options)
                  .error,
              expected);
    EXPECT_EQ(outcome_of(ok + "\r\n" + part, http::Method::get, {}, options).error, expected);
  }
  EXPECT_EQ(outcome_of("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n").error, Errc::body_too_large);
}

TEST(ClientResponse, HasAHeadThatIsBounded) {
  EXPECT_EQ(outcome_of("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'v')).error, Errc::field_too_large);
  EXPECT_EQ(outcome_of("HTTP/1.1 200 " + std::string(2'000, 'r')).error, Errc::bad_status);
}

TEST(ClientResponse, MayComeBehindInterimOnes) {
  const std::string continues = "HTTP/1.1 100 Continue\r\n\r\n";
  const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";
  const Outcome outcome = outcome_of(continues + hints + hints + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(outcome.response.status, 200);
  EXPECT_EQ(outcome.response.header("Link"), std::nullopt);
  EXPECT_EQ(outcome.response.body, "ok");
  EXPECT_EQ(outcome.kept, 1U);
}

TEST(ClientResponse, ComesBehindAHundredInterimOnesAtMost) {
  std::string interim;
  for (int i = 0; i < 100; ++i) interim += "HTTP/1.1 102 Processing\r\n\r\n";
  const std::string final = "HTTP/1.1 204 No Content\r\n\r\n";
  EXPECT_EQ(outcome_of(interim + final).response.status, 204);
  EXPECT_EQ(outcome_of(interim + "HTTP/1.1 102 Processing\r\n\r\n" + final).error, Errc::too_many_interim_responses);
}

TEST(ClientResponse, SwitchesToNoProtocolThatNobodyAskedFor) {
  EXPECT_EQ(outcome_of("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n").error, Errc::unexpected_response);
}

TEST(ClientResponse, IsTheSameThroughEveryPipe) {
  const std::string octets =
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n8;a=\"b\"\r\n, world!\r\n0\r\nT: "
      "t\r\n\r\n";
  for (const std::size_t bytes : {1U, 2U, 3U, 5U, 64U}) {
    for (const auto member : {&net::ChannelOptions::send_buffer_bytes, &net::ChannelOptions::max_read_bytes,
                              &net::ChannelOptions::max_write_bytes}) {
      net::ChannelOptions pipes;
      pipes.*member = bytes;
      const Outcome outcome = outcome_of(octets, http::Method::get, pipes);
      EXPECT_EQ(outcome.error, Errc{});
      EXPECT_EQ(outcome.response.header("X"), "y");
      EXPECT_EQ(outcome.response.body, "Hello, world!");
      EXPECT_EQ(outcome.kept, 1U);
    }
  }
}

TEST(ClientResponse, IsAnErrorWhereverItIsCut) {
  for (const std::string octets : {"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nHello",
                                   "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "5\r\nHello\r\n0\r\nT: t\r\n\r\n"}) {
    for (std::size_t size = 0; size < octets.size(); ++size) {
      const Outcome outcome = outcome_of(octets.substr(0, size));
      EXPECT_TRUE(outcome.error == Errc::end_of_stream || outcome.error == Errc::incomplete_message) << size;
      EXPECT_EQ(outcome.kept, 0U);
    }
    EXPECT_EQ(outcome_of(octets).response.body, "Hello");
  }
}

}  // namespace
}  // namespace pipette::client
