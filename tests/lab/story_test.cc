#include "pipette/lab/story.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipette/lab/lab.h"

#include "tests/lab/log_writer.h"

namespace pipette::lab {
namespace {

using inmem::EventKind;
using inmem::kNoSide;
using test::LogWriter;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;

const std::string kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kPost = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 72\r\n\r\n";

std::string octets(std::size_t count) { return std::string(count, 'x'); }

// What the last event is told as, behind its time and connection.
std::string last_line(const LogWriter& world) {
  const std::string line = tail(world.log(), 1);
  const std::size_t at = line.find("conn 1  ");
  return line.substr(at + 8, line.size() - at - 9);
}

TEST(Story, TellsAnExchangeOneLineAnEvent) {
  LogWriter world;
  world.add(EventKind::listen, kNoSide, "app:80").dial().add(EventKind::accepted, 1);
  world.client(kPost + octets(41)).wait(5s);
  world.add(EventKind::timed_out, 1, "read");
  world.server("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n").fin(1);
  world.wait(1ms).add(EventKind::reset, 0, "client aborts").note("the end,\nat last");
  EXPECT_EQ(text(world.log()),
            "+0.000000000  listening on app:80\n"
            "+0.000000000  conn 1  client dials app:80\n"
            "+0.000000000  conn 1  app accepts\n"
            "+0.000000000  conn 1  client -> app  POST /x HTTP/1.1 (2 fields, 41 of 100 body bytes)\n"
            "+5.000000000  conn 1  app has waited long enough to read\n"
            "+5.000000000  conn 1  app -> client  408 Request Timeout (1 field, no body)\n"
            "+5.000000000  conn 1  app -> client  FIN\n"
            "+5.001000000  conn 1  reset: client aborts\n"
            "+5.001000000  the end,\\nat last\n");
}

struct SentCase {
  std::vector<std::string> before;  // in events of their own
  std::string octets;
  std::string_view line;
};

TEST(Story, SaysWhichMessageOctetsBelongTo) {
  const std::string chunked = "PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const SentCase cases[] = {
      {{}, kGet, "GET /x HTTP/1.1 (1 field, no body)"},
      {{}, kPost + octets(100), "POST /x HTTP/1.1 (2 fields, 100 body bytes)"},
      {{kPost + octets(41)}, octets(59), "59 more body bytes of POST /x (100 of 100)"},
      {{kPost + octets(41)}, octets(1), "1 more body byte of POST /x (42 of 100)"},
      {{}, "GET /x", "6 bytes of request 1 \"GET /x\""},
      {{"GET"}, " /x", "3 more bytes of request 1 \" /x\""},
      {{"GET"}, kGet.substr(3), "the rest of GET /x HTTP/1.1 (1 field, no body)"},
      {{}, kGet + "GET /", "GET /x HTTP/1.1 (1 field, no body) + 5 bytes of the next \"GET /\""},
      {{kGet}, "G", "1 byte of request 2 \"G\""},
      {{},
       kGet + kGet + kGet + kGet + kGet + "G",
       "GET /x HTTP/1.1 (1 field, no body) + GET /x HTTP/1.1 (1 field, no body) + GET /x HTTP/1.1 (1 field, no body)"
       " + 2 more + 1 byte of the next \"G\""},
      {{kPost + octets(90)},
       octets(10) + kGet,
       "10 more body bytes of POST /x (100 of 100) + GET /x HTTP/1.1 (1 field, no body)"},
      {{}, chunked + "5\r\nhello\r\n", "PUT /c HTTP/1.1 (2 fields, 5 body bytes in chunks so far)"},
      {{chunked}, "5\r\nhello\r\n", "5 more body bytes of PUT /c (5 so far)"},
      {{chunked}, "5\r", "2 framing bytes of PUT /c"},
      {{chunked, "5\r\nhello\r\n"}, "0\r\n\r\n", "the end of PUT /c"},
      {{chunked}, "5\r\nhello\r\n0\r\n\r\n", "5 more body bytes of PUT /c (5, whole)"},
      {{}, std::string("\x16\x03\x01\0", 4), "not HTTP (no request begins so), 4 bytes \"\\x16\\x03\\x01\\x00\""},
      {{kGet}, "GET\n\n", "not HTTP (no request begins so), 5 bytes \"GET\\n\\n\""},
      {{},
       "GET / HTTP/1.1\nHost: a\n\n",
       "not HTTP (line does not end with CR LF), 24 bytes \"GET / HTTP/1.1\\nHost: a\\n\\n\""},
  };
  for (const SentCase& sent : cases) {
    LogWriter world;
    world.dial();
    for (const std::string& before : sent.before) world.client(before);
    world.client(sent.octets);
    EXPECT_EQ(last_line(world), "client -> app  " + std::string(sent.line));
  }
}

TEST(Story, TellsResponsesByTheirRequests) {
  LogWriter world;
  world.dial().client("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n" + kGet + kGet);
  world.server(kOk);
  EXPECT_EQ(last_line(world), "app -> client  200 OK (1 field, no body)");
  world.server(kOk + octets(13));
  EXPECT_EQ(last_line(world), "app -> client  200 OK (1 field, 13 of 72 body bytes)");
  world.server(octets(20));
  EXPECT_EQ(last_line(world), "app -> client  20 more body bytes of the response to GET /x (33 of 72)");
  world.server(octets(39) + "HTTP/1.1 200 OK\r\n\r\nhi");
  EXPECT_EQ(
      last_line(world),
      "app -> client  39 more body bytes of the response to GET /x (72 of 72) + 200 OK (0 fields, 2 body bytes so "
      "far, until close)");
}

struct OtherCase {
  EventKind kind;
  std::uint8_t side;
  std::string_view octets;
  std::string_view line;
};

TEST(Story, TellsWhatElseHappens) {
  const OtherCase cases[] = {
      {EventKind::finished, 0, "", "client -> app  FIN, inside the body of POST /x"},
      {EventKind::closed, 1, "", "app -> client  closed"},
      {EventKind::received, 0, "", "client -> app  7 B arrive"},
      {EventKind::reset, 1, "unread input", "reset: unread input"},
      {EventKind::fault, 1, "write stalls", "FAULT at app: write stalls"},
      {EventKind::fault, kNoSide, "write stalls", "fault: write stalls"},
      {EventKind::link, kNoSide, "client -> app: black hole", "link: client -> app: black hole"},
  };
  for (const OtherCase& other : cases) {
    LogWriter world;
    world.dial().client(kPost).add(other.kind, other.side, other.octets, 7);
    EXPECT_EQ(last_line(world), other.line);
  }
}

TEST(Story, KeepsItsTailAndCountsWhatWasBefore) {
  LogWriter world;
  world.dial().client(kPost).client(octets(100)).client(kGet);
  EXPECT_EQ(tail(world.log(), 2),
            "  … 2 earlier events\n"
            "  +0.000000000  conn 1  client -> app  100 more body bytes of POST /x (100 of 100)\n"
            "  +0.000000000  conn 1  client -> app  GET /x HTTP/1.1 (1 field, no body)\n");
  EXPECT_EQ(last_first(world.log(), 2),
            "  +0.000000000  conn 1  client -> app  GET /x HTTP/1.1 (1 field, no body)\n"
            "  +0.000000000  conn 1  client -> app  100 more body bytes of POST /x (100 of 100)\n"
            "  … 2 earlier events\n");
  EXPECT_EQ(tail(world.log(), 9).find("earlier"), std::string::npos);
}

TEST(Story, SaysWhatALogHasDropped) {
  LogWriter world(4000);
  world.dial();
  for (int i = 0; i < 100; ++i) world.client(kGet);
  ASSERT_GT(world.log().dropped(), 0U);
  EXPECT_THAT(text(world.log()),
              StartsWith("… " + std::to_string(world.log().dropped()) + " earlier events dropped\n"));
  EXPECT_THAT(last_line(world), HasSubstr("not HTTP (the log has lost its beginning), 28 bytes \"GET /x"));
}

TEST(Story, ShowsAllOctetsWhereTheyAreWanted) {
  LogWriter world;
  world.dial()
      .client("POST /x HTTP/1.1\r\nHost: a\r\nX: \\\r\nContent-Length: 6\r\n\r\na\nb")
      .client(std::string("\0\r\n", 3));
  world.server("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + octets(2000));
  EXPECT_EQ(text_with_octets(world.log()),
            "+0.000000000  conn 1  client dials app:80\n"
            "+0.000000000  conn 1  client -> app  POST /x HTTP/1.1 (3 fields, 3 of 6 body bytes)\n"
            "    POST /x HTTP/1.1\n"
            "    Host: a\n"
            "    X: \\\\\n"
            "    Content-Length: 6\n"
            "\n"
            "    a\\n\n"
            "    b\\\n"
            "+0.000000000  conn 1  client -> app  3 more body bytes of POST /x (6 of 6)\n"
            "    \\x00\n"
            "+0.000000000  conn 1  app -> client  200 OK (1 field, 2000 body bytes)\n"
            "    HTTP/1.1 200 OK\n"
            "    Content-Length: 2000\n"
            "\n"
            "    " +
                octets(1024) +
                "\\\n"
                "    … and 976 more bytes, checksum 12497172256457222757\n");
}

TEST(Story, FollowsWhatHappensInAWorld) {
  const Server server([](server::RequestCtx& ctx) { ctx.set_body("hello"); });
  Lab lab;
  lab.serve(server, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send(kPost + octets(41));
  peer.received();
  const inmem::EventLog& log = lab.world().log();
  EXPECT_EQ(describe_progress(log, 1), "app waits for 59 more body bytes of POST /x; client has sent 41 of 100");
  EXPECT_THAT(text(log), HasSubstr("conn 1  client -> app  POST /x HTTP/1.1 (2 fields, 41 of 100 body bytes)\n"));
  peer.send(octets(59));
  peer.received();
  EXPECT_EQ(describe_progress(log, 1), "idle after 1 exchange");
  EXPECT_THAT(text(log), HasSubstr("conn 1  client -> app  59 more body bytes of POST /x (100 of 100)\n"));
  EXPECT_THAT(text(log), HasSubstr("conn 1  app -> client  200 OK (4 fields, 5 body bytes)\n"));
}

struct ProgressCase {
  std::vector<std::string> client;  // events, in turn with those of
  std::vector<std::string> server;
  std::string_view progress;
};

TEST(DescribeProgress, SaysWhoHasSentWhatAndWhatIsMissing) {
  const std::string chunked = "PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string done = "HTTP/1.1 204 No Content\r\n\r\n";
  const ProgressCase cases[] = {
      {{}, {}, "nothing was sent"},
      {{"GET / HTT"}, {}, "app waits for the rest of the head of request 1; client has sent 9 bytes of it"},
      {{kPost + octets(41)}, {}, "app waits for 59 more body bytes of POST /x; client has sent 41 of 100"},
      {{chunked + "5\r\nhello\r\n"},
       {},
       "app waits for more of the chunked body of PUT /c; client has sent 5 in chunks"},
      {{kGet}, {}, "request 1, GET /x, has been sent whole; no response yet"},
      {{kGet, kGet, kGet}, {done, done}, "request 3, GET /x, has been sent whole; no response yet"},
      {{kGet + kGet + kGet}, {}, "requests 1 to 3 have been sent whole; no response yet"},
      {{kGet + kGet + "GE"},
       {done},
       "app waits for the rest of the head of request 3; client has sent 2 bytes of it; request 2, GET /x, has been "
       "sent "
       "whole; no response yet"},
      {{kGet}, {kOk + octets(13)}, "app has sent 13 of 72 body bytes of the response to GET /x"},
      {{kGet},
       {"HTTP/1.1 2"},
       "request 1, GET /x, has been sent whole; app has sent 10 bytes of the head of response 1"},
      {{kGet},
       {"HTTP/1.1 200 OK\r\n\r\nhello"},
       "app has sent 5 body bytes of the response to GET /x, which lasts until it closes"},
      {{kGet, kGet}, {done, done}, "idle after 2 exchanges"},
      {{kPost + octets(41)}, {done}, "client has sent 41 of 100 body bytes of POST /x, which has its response already"},
      {{kPost},
       {"HTTP/1.1 100 Continue\r\n\r\n"},
       "app waits for 100 more body bytes of POST /x; client has sent 0 of 100; app has sent 100 Continue only"},
      {{"\x16\x03"}, {}, "what client sends is not followed: no request begins so"},
      {{"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "octets"}, {"HTTP/1.1 200 OK\r\n\r\n"}, "a tunnel"},
  };
  for (const ProgressCase& c : cases) {
    LogWriter world;
    world.dial();
    for (std::size_t i = 0; i < std::max(c.client.size(), c.server.size()); ++i) {
      if (i < c.client.size()) world.client(c.client[i]);
      if (i < c.server.size()) world.server(c.server[i]);
    }
    EXPECT_EQ(describe_progress(world.log(), 1), c.progress);
  }
}

TEST(DescribeProgress, SaysWhoHasFinishedOrWasReset) {
  LogWriter world;
  world.dial().client(kGet).fin(0);
  EXPECT_EQ(describe_progress(world.log(), 1),
            "request 1, GET /x, has been sent whole; no response yet; client has finished sending");
  world.server("HTTP/1.1 204 \r\n\r\n").fin(1).add(EventKind::closed, 1);
  EXPECT_EQ(describe_progress(world.log(), 1), "idle after 1 exchange; client has finished sending; app has closed");
  world.add(EventKind::reset, 0, "why");
  EXPECT_EQ(describe_progress(world.log(), 1), "idle after 1 exchange; the connection was reset");
}

TEST(DescribeProgress, KeepsConnectionsApart) {
  LogWriter world;
  world.dial().client(kGet).dial().client("GE");
  EXPECT_THAT(describe_progress(world.log(), 1), StartsWith("request 1"));
  EXPECT_THAT(describe_progress(world.log(), 2), StartsWith("app waits for the rest"));
  EXPECT_EQ(describe_progress(world.log(), 3), "nothing is known of it");
}

}  // namespace
}  // namespace pipette::lab
