// Writes the heads of messages, and decides how their bodies are framed.
//
//   parts of a response --> write_response_head(out, parts) --> octets in `out`, and the BodyLength a BodyWriter needs
//   parts of a request  --> write_request_head(out, parts)  --> the same
//
// The only place where Content-Length and Transfer-Encoding are written: never both, neither where a message has no
// body, no coding for a peer that knows only HTTP/1.0. What a user sets is written as it is or refused; nothing is
// altered. What can be known to be valid is not looked at again: a Fields comes from a parser or from OwnedFields,
// which check it; FieldValue and RequestTarget are proofs that somebody did.
//
//   response:  status line · Server · Date · Content-Type · Content-Length | Transfer-Encoding · fields · Connection
//   request:   request line · Host · User-Agent · Content-Type · Content-Length | Transfer-Encoding · Expect · fields
//              · Connection
//
// Spec      RFC 9112 §2-§7; RFC 9110 §6.6.1, §7.2, §7.8, §8.6, §10.1.1, §15.2.
// Errors    Errc::bad_status, bad_reason, bad_method, bad_target, bad_host, bad_field_value; managed_field for a
//           Content-Length or Transfer-Encoding among the fields; wrong_body_size for a body that the message may not
//           have; bad_trailer, bad_field_list for a Trailer field, bad_transfer_coding for a TE field or a length that
//           cannot be said. After one, `out` is as it was before.
// Units     octets.
// Lifetime  what the parts refer to is read during the call only.   Threads  pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipette/base/ascii.h"
#include "pipette/base/buffer.h"
#include "pipette/base/bytes.h"
#include "pipette/base/result.h"
#include "pipette/http/fields.h"
#include "pipette/http/framing.h"
#include "pipette/http/head.h"
#include "pipette/http/method.h"

namespace pipette::http {

// ---- proofs ----------------------------------------------------------------------------------------------

// The value of a field, known to have no CR, LF, NUL or other control (RFC 9110 §5.5). Empty: no such field.
class FieldValue {
 public:
  constexpr FieldValue() = default;
  template <std::size_t kSize>
  consteval FieldValue(const char (&literal)[kSize])  // NOLINT(google-explicit-constructor): checked by the compiler
      : FieldValue(std::string_view(literal, kSize - 1)) {}

  static Result<FieldValue> check(std::string_view text);
  // That was checked where it was set.
  static constexpr FieldValue checked(std::string_view text) { return FieldValue(text, Checked()); }

  constexpr std::string_view text() const { return text_; }

 private:
  struct Checked {};
  consteval explicit FieldValue(std::string_view literal);
  constexpr FieldValue(std::string_view text, Checked /*proof*/) : text_(text) {}

  std::string_view text_;
};

// The fields of a message, which are valid since only parsers and OwnedFields make any. Those of an OwnedFields often
// stand as lines already and are copied at once.
class FieldLines {
 public:
  FieldLines() = default;
  FieldLines(const Fields& fields) : fields_(&fields) {}  // NOLINT(google-explicit-constructor): it is a view
  FieldLines(const OwnedFields& fields)                   // NOLINT(google-explicit-constructor): the same
      : fields_(&fields.view()), owned_(&fields) {}

  bool empty() const { return fields_ == nullptr || fields_->empty(); }
  const Fields& view() const { return *fields_; }  // unless empty
  Bytes lines() const { return owned_ == nullptr ? Bytes() : owned_->lines(); }

 private:
  const Fields* fields_ = nullptr;
  const OwnedFields* owned_ = nullptr;
};

// Where a request goes: what stands in its request line and in its Host field, known to be valid (RFC 9112 §3.2).
class RequestTarget {
 public:
  RequestTarget() = default;

  // `authority` is host [":" port], without userinfo; empty where the target has none. `path` is a path and a query as
  // they are sent; an empty path becomes "/". No fragment.
  static Result<RequestTarget> origin(std::string_view authority, std::string_view path);
  // For a proxy.
  static Result<RequestTarget> absolute(std::string_view scheme, std::string_view authority, std::string_view path);
  // For CONNECT: host and port.
  static Result<RequestTarget> authority(std::string_view host_and_port);
  // For OPTIONS of the server as a whole.
  static Result<RequestTarget> asterisk(std::string_view authority);
  // As origin(), of a URL whose parts were checked when it was parsed.
  static RequestTarget of_parsed(std::string_view authority, std::string_view path) {
    return {TargetForm::origin, {}, authority, path};
  }

  TargetForm form() const { return form_; }
  std::string_view scheme() const { return scheme_; }
  std::string_view host() const { return authority_; }
  std::string_view path() const { return path_; }

 private:
  RequestTarget(TargetForm form, std::string_view scheme, std::string_view authority, std::string_view path)
      : form_(form), scheme_(scheme), authority_(authority), path_(path) {}

  TargetForm form_ = TargetForm::origin;
  std::string_view scheme_;
  std::string_view authority_;
  std::string_view path_;  // of the origin and the absolute form
};

// ---- framing ---------------------------------------------------------------------------------------------

// Of a body before it is written: octets, or nobody knows before its end. One word, since it is asked for every
// message.
class KnownLength {
 public:
  constexpr KnownLength() = default;                          // unknown
  constexpr KnownLength(std::uint64_t size) : size_(size) {}  // NOLINT(google-explicit-constructor): a length is known

  constexpr bool is_known() const { return size_ != kUnknown; }
  constexpr std::uint64_t size() const { return is_known() ? size_ : 0; }

  bool operator==(const KnownLength&) const = default;

 private:
  static constexpr std::uint64_t kUnknown = UINT64_MAX;  // which no body has

  std::uint64_t size_ = kUnknown;
};

struct SentFraming {
  BodyLength body;             // what follows the head
  KnownLength content_length;  // what the head declares, with or without a body behind it
};

// `length` is what a GET would be answered with, also in an answer to HEAD and in a 304, where nullopt declares
// nothing.
Result<SentFraming> framing_for_response(int status, Method request_method, bool is_for_http_1_0, KnownLength length);
// Methods whose requests usually have a body say so when it is empty.
Result<SentFraming> framing_for_request(Method method, bool is_for_http_1_0, KnownLength length);

// ---- responses -------------------------------------------------------------------------------------------

// What a server says in every response: whole field lines, with their CRLF; empty: none.
struct DefaultLines {
  std::string_view server;
  std::string_view date;
  // The status line of HTTP/1.1 and both of those, where the caller keeps them together: one copy for a response that
  // changes none of the three.
  std::string_view opening;
};

struct ResponseHeadParts {
  ResponseHeadParts() {}  // NOLINT(modernize-use-equals-default): g++ would clear all of it first, which takes longer

  int status = 200;  // a final one, or 101
  Method request_method = Method::get;
  KnownLength length = 0;  // of the body
  FieldLines fields;
  FieldValue content_type;  // unless `fields` have one
  DefaultLines defaults;
  std::optional<std::string_view> reason;  // nullopt: the registered phrase; "" is a phrase too
  bool is_for_http_1_0 = false;            // the request was HTTP/1.0
  bool keeps_alive = true;                 // unless the body turns out to end with the connection

  bool no_default_server = false;
  bool no_default_date = false;
  bool no_default_content_type = false;
  bool no_default_content_length = false;  // as if nobody knew it
};

// `body` is put right behind the head when it is not empty; it is all of the body then, and neither chunked nor kept
// from the answer. A BodyLength of Kind::until_close means that the connection must be closed behind the body. A
// Connection field among the fields is written as it is; whether it asks to close is the caller's to see.
Result<BodyLength> write_response_head(Buffer& out, const ResponseHeadParts& parts, Bytes body = {});

// The same octets with less work, where responses are alike: a final status that may have a body and is not 205,
// HTTP/1.1, a connection that stays, no fields but these. All that stands in front of the length is made once, in the
// place of what `opening` was; `length` is what a GET would be answered with, whose body may be put behind the head.
void make_plain_opening(int status, const DefaultLines& defaults, FieldValue content_type, std::string& opening);
void write_plain_response(Buffer& out, std::string_view opening, std::size_t length, Bytes body = {});

// 100, 103 and all of 1xx but 101: a head without defaults, in front of the answer. Nothing is written for HTTP/1.0,
// whose clients would take it for the answer (RFC 9110 §15.2).
Result<void> write_interim_response(Buffer& out, int status, bool is_for_http_1_0, FieldLines fields = {});

// ---- requests --------------------------------------------------------------------------------------------

struct RequestHeadParts {
  RequestHeadParts() {}  // NOLINT(modernize-use-equals-default): as above

  Method method = Method::get;
  std::string_view method_text;  // of Method::other
  RequestTarget target;
  // A Host among them takes the place of the target's authority, in the origin and the asterisk form.
  FieldLines fields;
  FieldValue user_agent;    // unless `fields` have one
  FieldValue content_type;  // of a body, unless `fields` have one

  KnownLength length = 0;
  bool is_for_http_1_0 = false;  // the server is known to speak nothing newer
  bool keeps_alive = true;
  bool expects_continue = false;  // asked only in front of a body, and not of HTTP/1.0

  bool no_default_user_agent = false;
  bool no_default_content_type = false;
  bool no_default_content_length = false;  // as if nobody knew it; nothing, when the body is empty
};

// `body` as above.
Result<BodyLength> write_request_head(Buffer& out, const RequestHeadParts& parts, Bytes body = {});

// ---- inline ----------------------------------------------------------------------------------------------

consteval FieldValue::FieldValue(std::string_view literal) : text_(literal) {
  if (!ascii::is_value(literal)) throw "a control character in a field value";
}

}  // namespace pipette::http
