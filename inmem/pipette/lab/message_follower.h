// Follows the messages in one direction of a connection, in whatever pieces their octets come.
//
//   octets --> follow() --> a run: head | body | tunnel | lost       message() --> the one they belong to
//
//   Conversation conversation;
//   MessageFollower requests(Role::client, conversation), responses(Role::server, conversation);
//   for (Bytes left = octets; !left.empty(); left.remove_prefix(run.size)) { run = requests.follow(left); … }
//
// What people are told about a connection is made of this: which message it is at, the how-manieth, in its head or in
// its body, and how much is missing (story.h); and so are faults that strike at a place in a message (triggers.h).
// Heads and bodies are read by the parsers of http/, so it is HTTP as this stack reads it, but nearly without limits.
// Of a message its place, its length and its start line are kept: who wants the fields and the body of a response asks
// message.h.
//
// The Conversation is what the two directions must know of each other: a response is framed by the method of its
// request (HEAD, CONNECT), and a tunnel begins on both sides at once. What makes no sense is no error here: the
// follower says that it is lost, and why, and stays so.
//
// Spec      RFC 9112 §6.3; RFC 9110 §9.3.6, §15.2.
// Bounds    keeps a head while it is incomplete, 16 MiB at most, and the requests that have no response yet.
// Lifetime  the Conversation outlives its followers.   Threads  one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "pipette/base/bytes.h"
#include "pipette/http/body_reader.h"
#include "pipette/http/head.h"
#include "pipette/http/head_parser.h"

namespace pipette::lab {

// Who speaks: requests come from a client, responses from a server.
enum class Role : std::uint8_t { client, server };

struct Asked {
  http::Method method = http::Method::get;
  std::string name;  // "GET /x"
};

struct Conversation {
  std::deque<Asked> unanswered;  // requests whose heads are whole and that no final response has begun to answer
  std::uint64_t asked = 0;       // requests whose heads are whole
  std::uint64_t answered = 0;    // final responses whose heads are whole; more than `asked` when one came too early
  bool is_tunnel = false;        // behind a 101, or a 2xx to CONNECT
};

// A message, as far as its octets have come. What its head says is known when that is whole.
struct Message {
  std::uint64_t number = 0;  // in its direction, from 1; interim responses are messages too
  std::string start_line;    // "GET /x HTTP/1.1", "200 OK"
  std::string request;       // "GET /x": the request itself, or the one this answers
  int status = 0;            // of a response
  std::size_t fields = 0;
  http::BodyLength length;
  std::uint64_t octets = 0;  // with head and framing; and what is lost in it, or sent through the tunnel behind it
  std::uint64_t head_bytes = 0;
  std::uint64_t body_bytes = 0;  // data only

  bool is_interim() const;
  // Octets of the body that are still missing; 0 when nobody can know yet.
  std::uint64_t missing_bytes() const;
};

class MessageFollower {
 public:
  enum class Phase : std::uint8_t {
    idle,  // between messages
    head,
    body,    //
    tunnel,  // no HTTP any more: what both sides agreed on
    lost,    // not HTTP, see why_lost()
  };

  // Octets that stand in one part of one message.
  struct Run {
    std::size_t size = 0;
    Phase phase = Phase::idle;  // head, body, tunnel or lost
    std::size_t body_bytes = 0;
    bool begins = false;     // the message
    bool ends_head = false;  // behind its last octet the head is whole
    bool ends = false;       // and here the message
  };

  MessageFollower(Role role, Conversation& conversation);

  // Takes the first run of `next`, which is not empty.
  Run follow(Bytes next);
  // The sender has finished. A body that lasts until then is whole now.
  void finish();
  // What follows cannot be understood, for a reason of the caller's.
  void lose(std::string_view why);

  Role role() const { return role_; }
  Phase phase() const { return conversation_->is_tunnel && phase_ != Phase::lost ? Phase::tunnel : phase_; }
  // The one that octets came of last; number 0 when none did.
  const Message& message() const { return message_; }
  // Messages that are whole.
  std::uint64_t whole() const { return whole_; }
  std::string_view why_lost() const { return why_lost_; }

 private:
  Run follow_head(Bytes next);
  Run follow_body(Bytes next);
  Run follow_trailers(Bytes next);
  Run give_up(Bytes next, std::string_view why);
  Result<std::size_t> parse_pending();
  Result<void> take_head();
  Result<void> take_request();
  Result<void> take_response();
  void end_message();

  Role role_;
  Conversation* conversation_;
  Phase phase_ = Phase::idle;
  Message message_;
  std::uint64_t whole_ = 0;
  std::string why_lost_;
  std::string pending_;  // of a head or of trailers that are not whole
  http::RequestParser request_parser_;
  http::RequestHead request_;
  http::ResponseParser response_parser_;
  http::ResponseHead response_;
  http::BodyReader body_;
};

}  // namespace pipette::lab
