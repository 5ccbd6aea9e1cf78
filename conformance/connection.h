// A connection that a case's octets arrive on, in any pieces: messages one after another, as a server or a client
// would take them out, until one is refused or says that it is the last. Keeps what came of it as lines of text.
//
//   request GET HTTP/1.1                                     the head; response 200 "OK" HTTP/1.1
//   target origin, authority "a", path "/b", query "c"
//   field "Host" "a"                                         each, in order
//   body exact 5 | body chunked | body until close | body none
//   data "hello"                                             all of it that came; no line when there is none, or when
//                                                            the message was refused: then it is nobody's
//   trailer "X" "1"
//   complete | complete, closes | complete, tunnel | incomplete | refused bad_chunk 400
//   left "..."                                               octets behind the last message, which nobody parsed
//
// A method that is not a registered one is written `request other "get" HTTP/1.1`. Responses are refused without a
// status. For every call of a parser the octets so far stand in an ExactBlock of their own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipette/http/framing.h"

#include "conformance/case_file.h"

namespace pipette::conformance {

// What the parsers of a connection have read before: they may remember it, and must not let it be seen.
enum class Past { nothing, same_head, other_heads };

class Connection {
 public:
  Connection(const Case& of, const http::internal::Scans& scans, Past past = Past::nothing);

  void deliver(Bytes piece);
  // Everything has been delivered: says what is left.
  void finish();

  const std::vector<std::string>& events() const { return events_; }

 private:
  enum class State { in_head, in_body, stopped, refused };

  void live_through(Past past);
  bool step();
  bool take_head();
  bool take_request_head();
  bool take_response_head();
  bool begin_body(const Result<http::BodyLength>& length);
  bool take_body();
  void end_body();
  void end_message();
  void say_data();
  void refuse(std::error_code error);
  bool is_response() const { return case_.sent == Sent::response; }
  bool is_body_alone() const;

  const Case& case_;
  http::RequestParser request_parser_;
  http::ResponseParser response_parser_;
  http::RequestHead request_;
  http::ResponseHead response_;
  std::optional<http::BodyReader> body_;
  std::size_t answered_ = 0;
  bool persists_ = true;
  bool is_tunnel_ = false;

  State state_ = State::in_head;
  std::string pending_;
  std::string data_;
  std::vector<std::string> events_;
};

// Errc::bad_chunk --> "bad_chunk"
std::string name_of(Errc code);

}  // namespace pipette::conformance
