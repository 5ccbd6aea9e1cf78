#include "pipette/lab/message_follower.h"

#include <gtest/gtest.h>

#include "tests/support/splits.h"

namespace pipette::lab {
namespace {

using Phase = MessageFollower::Phase;
using test::for_each_split;
using test::Pieces;

std::string_view name_of(Phase phase) {
  constexpr std::array<std::string_view, 5> kNames = {"idle", "head", "body", "tunnel", "lost"};
  return kNames[static_cast<std::size_t>(phase)];
}

void follow(MessageFollower& follower, Bytes octets) {
  while (!octets.empty()) {
    const MessageFollower::Run run = follower.follow(octets);
    ASSERT_GT(run.size, 0U);
    octets.remove_prefix(run.size);
  }
}

// Where a follower stands.
std::string state(const MessageFollower& follower) {
  const Message& message = follower.message();
  return std::string(name_of(follower.phase())) + " " + std::to_string(message.number) + " <" + message.start_line +
         "> " + std::to_string(message.body_bytes) + " data, " + std::to_string(follower.whole()) + " whole";
}

struct RequestCase {
  std::string_view octets;
  std::string_view state;
};

constexpr RequestCase kRequests[] = {
    {"G", "head 1 <> 0 data, 0 whole"},
    {"\r\n", "head 1 <> 0 data, 0 whole"},
    {"GET / HTTP/1.1\r\nHost: a\r\n", "head 1 <> 0 data, 0 whole"},
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "idle 1 <GET / HTTP/1.1> 0 data, 1 whole"},
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\nGE", "head 2 <> 0 data, 1 whole"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "idle 1 <POST / HTTP/1.1> 0 data, 1 whole"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel", "body 1 <POST / HTTP/1.1> 3 data, 0 whole"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloG", "head 2 <> 0 data, 1 whole"},
    {"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
     "body 1 <PUT / HTTP/1.1> 5 data, 0 whole"},
    {"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\nGET /2",
     "head 2 <> 0 data, 1 whole"},
    {"\x16\x03\x01", "lost 1 <> 0 data, 0 whole"},
    {"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "lost 1 <> 0 data, 0 whole"},
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "lost 1 <> 0 data, 0 whole"},
    {"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz", "lost 1 <PUT / HTTP/1.1> 0 data, 0 whole"},
};

TEST(MessageFollower, StandsAtTheSamePlaceInEverySplit) {
  for (const RequestCase& c : kRequests) {
    for_each_split(c.octets, [&](const Pieces& pieces) {
      Conversation conversation;
      MessageFollower follower(Role::client, conversation);
      for (const Bytes piece : pieces) follow(follower, piece);
      EXPECT_EQ(state(follower), c.state) << c.octets << " in " << pieces.size();
      if (follower.phase() != Phase::idle && follower.phase() != Phase::lost) return;
      EXPECT_EQ(follower.message().octets, c.octets.size());
    });
  }
}

struct ResponseCase {
  std::string_view requests;
  std::string_view responses;
  std::string_view state;
};

constexpr ResponseCase kResponses[] = {
    {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "body 1 <200 OK> 2 data, 0 whole"},
    {"HEAD GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",
     "body 2 <200 OK> 2 data, 1 whole"},
    {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "idle 1 <304 Not Modified> 0 data, 1 whole"},
    {"GET", "HTTP/1.1 204 \r\n\r\n", "idle 1 <204> 0 data, 1 whole"},
    {"HEAD", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
     "idle 2 <200 OK> 0 data, 2 whole"},
    {"GET", "HTTP/1.1 200 OK\r\n\r\nhello", "body 1 <200 OK> 5 data, 0 whole"},
    {"CONNECT", "HTTP/1.1 200 OK\r\n\r\nanything", "tunnel 1 <200 OK> 0 data, 1 whole"},
    {"CONNECT", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "idle 1 <403 Forbidden> 2 data, 1 whole"},
    {"GET", "HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02hi", "tunnel 1 <101 Switching Protocols> 0 data, 1 whole"},
    {"", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", "idle 1 <408 Request Timeout> 0 data, 1 whole"},
    {"GET", "HTTP/2 200\r\n", "lost 1 <> 0 data, 0 whole"},
    {"GET", "<html>", "lost 1 <> 0 data, 0 whole"},
};

TEST(MessageFollower, FramesResponsesByTheMethodsOfTheirRequests) {
  for (const ResponseCase& c : kResponses) {
    for_each_split(c.responses, [&](const Pieces& pieces) {
      Conversation conversation;
      MessageFollower asking(Role::client, conversation);
      for (std::string_view methods = c.requests; !methods.empty();) {
        const std::string_view method = methods.substr(0, methods.find(' '));
        methods.remove_prefix(std::min(methods.size(), method.size() + 1));
        const std::string target = method == "CONNECT" ? "a:1" : "/";
        follow(asking, std::string(method) + " " + target + " HTTP/1.1\r\nHost: a:1\r\n\r\n");
      }
      MessageFollower answering(Role::server, conversation);
      for (const Bytes piece : pieces) follow(answering, piece);
      EXPECT_EQ(state(answering), c.state) << c.requests << " in " << pieces.size();
    });
  }
}

TEST(MessageFollower, TakesAnEndForTheEndOfABodyThatLastsUntilThen) {
  Conversation conversation;
  MessageFollower follower(Role::server, conversation);
  follow(follower, "HTTP/1.0 200 OK\r\n\r\nhello");
  follower.finish();
  EXPECT_EQ(state(follower), "idle 1 <200 OK> 5 data, 1 whole");
}

TEST(MessageFollower, KeepsABodyThatIsCutShort) {
  Conversation conversation;
  MessageFollower follower(Role::server, conversation);
  follow(follower, "HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nhello");
  follower.finish();
  EXPECT_EQ(state(follower), "body 1 <200 OK> 5 data, 0 whole");
  EXPECT_EQ(follower.message().missing_bytes(), 4U);
}

TEST(MessageFollower, MatchesRequestsThatWereAnsweredBeforeTheyWereWhole) {
  Conversation conversation;
  MessageFollower requests(Role::client, conversation);
  MessageFollower responses(Role::server, conversation);
  follow(requests, "HEAD /early HTTP/1.1\r\n");
  follow(responses, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
  follow(requests, "Host: a\r\n\r\nGET /late HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_EQ(conversation.unanswered.size(), 1U);
  EXPECT_EQ(conversation.unanswered.front().name, "GET /late");
}

TEST(MessageFollower, GivesRunsThatEndWhereTheirPartsEnd) {
  Conversation conversation;
  MessageFollower follower(Role::client, conversation);
  const Bytes head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
  std::string octets(head);
  octets += "hiGET";
  const MessageFollower::Run first = follower.follow(octets);
  EXPECT_EQ(first.size, head.size());
  EXPECT_TRUE(first.begins && first.ends_head && !first.ends);
  const MessageFollower::Run second = follower.follow(Bytes(octets).substr(head.size()));
  EXPECT_EQ(second.size, 2U);
  EXPECT_EQ(second.body_bytes, 2U);
  EXPECT_TRUE(!second.begins && second.ends);
}

}  // namespace
}  // namespace pipette::lab
