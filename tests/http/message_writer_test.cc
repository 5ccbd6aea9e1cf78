// Heads as they are sent: exact octets, what is refused, and that the parsers read what was meant.
#include "pipette/http/message_writer.h"

#include <gtest/gtest.h>
#include <string>

#include "pipette/http/status.h"

#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;
using Kind = BodyLength::Kind;

constexpr BodyLength kNone{Kind::none, 0};
constexpr BodyLength kChunked{Kind::chunked, 0};
constexpr BodyLength kUntilClose{Kind::until_close, 0};

OwnedFields fields_of(std::initializer_list<Field> list) {
  OwnedFields fields;
  for (const Field& field : list) EXPECT_TRUE(fields.add(field.name, field.value)) << field.name;
  return fields;
}

std::optional<Errc> error_of(const auto& result) {
  return result ? std::nullopt : std::optional(errc_of(result.error()));
}

// What is written; or the message of the error, and then nothing may have been.
std::string written(const ResponseHeadParts& parts, Bytes body = {}) {
  Buffer out;
  const Result<BodyLength> length = write_response_head(out, parts, body);
  if (length) return std::string(out.readable());
  EXPECT_TRUE(out.empty());
  return length.error().message();
}

std::string written(const RequestHeadParts& parts, Bytes body = {}) {
  Buffer out;
  const Result<BodyLength> length = write_request_head(out, parts, body);
  if (length) return std::string(out.readable());
  EXPECT_TRUE(out.empty());
  return length.error().message();
}

std::string message(Errc error) { return std::string(errc_row(error).message); }

// ---- proofs ----------------------------------------------------------------------------------------------

TEST(FieldValue, IsRefusedWithControls) {
  for (const std::string_view text : {"a\rb"sv, "a\nb"sv, "a\0b"sv, "\r\n"sv, "a\x7f"sv, "\x01"sv}) {
    EXPECT_EQ(error_of(FieldValue::check(text)), Errc::bad_field_value) << text;
  }
  EXPECT_EQ(FieldValue::check("\t text/plain ")->text(), "text/plain");
  EXPECT_EQ(FieldValue("text/plain").text(), "text/plain");
}

TEST(RequestTarget, TakesAPathAndAQueryAsTheyAreSent) {
  for (const std::string_view path : {"", "/", "/a/b?c=d", "?q", "/%20", "/a?b%5B%5D=1", "/a//..", "/a:b@c"}) {
    EXPECT_EQ(error_of(RequestTarget::origin("a", path)), std::nullopt) << path;
    EXPECT_EQ(error_of(RequestTarget::absolute("http", "a", path)), std::nullopt) << path;
  }
  for (const std::string_view path :
       {"a"sv, "*"sv, "/a b"sv, "/a#b"sv, "/%"sv, "/%2"sv, "/%zz"sv, "/\r\nX: y"sv, "/\0"sv, "/caf\xc3\xa9"sv,
        "/\x7f"sv, "http://a/"sv, "/a\tb"sv, "/<"sv, "/a?b[]=1"sv}) {
    EXPECT_EQ(error_of(RequestTarget::origin("a", path)), Errc::bad_target) << path;
    EXPECT_EQ(error_of(RequestTarget::absolute("http", "a", path)), Errc::bad_target) << path;
  }
}

TEST(RequestTarget, TakesAnAuthorityWithoutUserinfo) {
  for (const std::string_view host : {"a", "a:80", "a:", "[::1]:80", "127.0.0.1", "a-b.c"}) {
    EXPECT_EQ(error_of(RequestTarget::origin(host, "/")), std::nullopt) << host;
    EXPECT_EQ(error_of(RequestTarget::absolute("http", host, "/")), std::nullopt) << host;
    EXPECT_EQ(error_of(RequestTarget::asterisk(host)), std::nullopt) << host;
  }
  for (const std::string_view host : {"u@a"sv, "u:p@a"sv, "a b"sv, "a\r\nX: y"sv, "a/b"sv, "a:x"sv, "a:65536"sv,
                                      "[::1"sv, "a,b"sv, "a\0"sv, "a?"sv, "a#"sv}) {
    EXPECT_EQ(error_of(RequestTarget::origin(host, "/")), Errc::bad_host) << host;
    EXPECT_EQ(error_of(RequestTarget::absolute("http", host, "/")), Errc::bad_host) << host;
    EXPECT_EQ(error_of(RequestTarget::asterisk(host)), Errc::bad_host) << host;
    EXPECT_EQ(error_of(RequestTarget::authority(host)), Errc::bad_host) << host;
  }
  EXPECT_EQ(error_of(RequestTarget::absolute("http", "", "/")), Errc::bad_host);
  EXPECT_EQ(error_of(RequestTarget::authority("")), Errc::bad_host);
}

TEST(RequestTarget, OfATunnelHasAPort) {
  EXPECT_EQ(error_of(RequestTarget::authority("a:443")), std::nullopt);
  EXPECT_EQ(error_of(RequestTarget::authority("[::1]:443")), std::nullopt);
  for (const std::string_view host : {"a", "a:", "[::1]", "[::1]:", "a:0", "a:000"}) {
    EXPECT_EQ(error_of(RequestTarget::authority(host)), Errc::bad_target) << host;
  }
}

TEST(RequestTarget, OfAProxyHasAScheme) {
  EXPECT_EQ(error_of(RequestTarget::absolute("coap+tcp", "a", "/")), std::nullopt);
  for (const std::string_view scheme : {"", "1a", "a b", "a:", "a_b", "-a"}) {
    EXPECT_EQ(error_of(RequestTarget::absolute(scheme, "a", "/")), Errc::bad_target) << scheme;
  }
}

// ---- framing ---------------------------------------------------------------------------------------------

struct ResponseFraming {
  int status;
  Method method;
  bool is_for_http_1_0;
  KnownLength length;
  std::optional<Errc> error;
  BodyLength body = kNone;
  KnownLength declared = {};
};

TEST(FramingForResponse, IsDecidedByStatusMethodVersionAndLength) {
  constexpr KnownLength kUnknown;
  const ResponseFraming rows[] = {
      {200, Method::get, false, 5, {}, {Kind::exact, 5}, 5},
      {200, Method::get, false, 0, {}, {Kind::exact, 0}, 0},
      {200, Method::get, true, 5, {}, {Kind::exact, 5}, 5},
      {404, Method::post, false, kUnknown, {}, kChunked},
      {200, Method::get, true, kUnknown, {}, kUntilClose},
      {200, Method::head, false, 5, {}, kNone, 5},
      {200, Method::head, false, 0, {}, kNone, 0},
      {200, Method::head, false, kUnknown, {}, kNone},
      {200, Method::head, true, kUnknown, {}, kNone},
      {204, Method::head, false, 0, {}, kNone},
      {304, Method::get, false, 5, {}, kNone, 5},
      {304, Method::get, false, kUnknown, {}, kNone},
      {304, Method::head, false, 5, {}, kNone, 5},
      {204, Method::get, false, 0, {}, kNone},
      {204, Method::get, false, kUnknown, {}, kNone},
      {204, Method::get, false, 5, Errc::wrong_body_size},
      {101, Method::get, false, 0, {}, kNone},
      {103, Method::get, false, 5, Errc::wrong_body_size},
      {200, Method::connect, false, 0, {}, kNone},
      {299, Method::connect, false, kUnknown, {}, kNone},
      {200, Method::connect, false, 5, Errc::wrong_body_size},
      {300, Method::connect, false, 5, {}, {Kind::exact, 5}, 5},
      {407, Method::connect, false, kUnknown, {}, kChunked},
      {205, Method::get, false, 0, {}, {Kind::exact, 0}, 0},
      {205, Method::get, false, kUnknown, {}, {Kind::exact, 0}, 0},
      {205, Method::get, false, 5, Errc::wrong_body_size},
      {99, Method::get, false, 0, Errc::bad_status},
      {1000, Method::get, false, 0, Errc::bad_status},
      {-1, Method::get, false, 0, Errc::bad_status},
  };
  for (const ResponseFraming& row : rows) {
    const Result<SentFraming> framing = framing_for_response(row.status, row.method, row.is_for_http_1_0, row.length);
    EXPECT_EQ(error_of(framing), row.error) << row.status;
    if (!framing) continue;
    EXPECT_EQ(framing->body, row.body) << row.status;
    EXPECT_EQ(framing->content_length, row.declared) << row.status;
  }
}

struct RequestFraming {
  Method method;
  bool is_for_http_1_0;
  KnownLength length;
  std::optional<Errc> error;
  BodyLength body = kNone;
  KnownLength declared = {};
};

TEST(FramingForRequest, IsDecidedByMethodVersionAndLength) {
  constexpr KnownLength kUnknown;
  const RequestFraming rows[] = {
      {Method::get, false, 0, {}, kNone},
      {Method::head, false, 0, {}, kNone},
      {Method::delete_, false, 0, {}, kNone},
      {Method::other, false, 0, {}, kNone},
      {Method::post, false, 0, {}, {Kind::exact, 0}, 0},
      {Method::put, true, 0, {}, {Kind::exact, 0}, 0},
      {Method::patch, false, 0, {}, {Kind::exact, 0}, 0},
      {Method::get, false, 5, {}, {Kind::exact, 5}, 5},
      {Method::post, true, 5, {}, {Kind::exact, 5}, 5},
      {Method::post, false, kUnknown, {}, kChunked},
      {Method::get, false, kUnknown, {}, kChunked},
      {Method::post, true, kUnknown, Errc::bad_transfer_coding},
      {Method::connect, false, 0, {}, kNone},
      {Method::connect, false, 5, Errc::wrong_body_size},
      {Method::connect, false, kUnknown, Errc::wrong_body_size},
      {Method::trace, false, 5, Errc::wrong_body_size},
  };
  for (const RequestFraming& row : rows) {
    const Result<SentFraming> framing = framing_for_request(row.method, row.is_for_http_1_0, row.length);
    EXPECT_EQ(error_of(framing), row.error) << to_string(row.method);
    if (!framing) continue;
    EXPECT_EQ(framing->body, row.body) << to_string(row.method);
    EXPECT_EQ(framing->content_length, row.declared) << to_string(row.method);
  }
}

// ---- responses -------------------------------------------------------------------------------------------

// A response with everything a server adds.
ResponseHeadParts usual() {
  ResponseHeadParts parts;
  parts.content_type = "text/plain";
  parts.defaults.server = "Server: s\r\n";
  parts.defaults.date = "Date: d\r\n";
  parts.length = 5;
  return parts;
}

TEST(WriteResponseHead, WritesDefaultsInFrontOfFields) {
  ResponseHeadParts parts = usual();
  const OwnedFields fields = fields_of({{"X-One", "1"}, {"x-two", "2"}, {"X-One", ""}});
  parts.fields = fields;
  EXPECT_EQ(written(parts, "hello"),
            "HTTP/1.1 200 OK\r\nServer: s\r\nDate: d\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"
            "X-One: 1\r\nx-two: 2\r\nX-One: \r\n\r\nhello");
}

TEST(WriteResponseHead, LeavesOutEachDefaultThatIsNotWanted) {
  ResponseHeadParts parts = usual();
  parts.no_default_server = true;
  EXPECT_FALSE(written(parts).contains("Server:"));
  parts.no_default_date = true;
  EXPECT_FALSE(written(parts).contains("Date:"));
  parts.no_default_content_type = true;
  EXPECT_FALSE(written(parts).contains("Content-Type:"));
  EXPECT_EQ(written(parts), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  parts.no_default_content_length = true;
  EXPECT_EQ(written(parts), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  parts.request_method = Method::head;
  EXPECT_EQ(written(parts), "HTTP/1.1 200 OK\r\n\r\n");
}

TEST(WriteResponseHead, TakesTheFieldsOfTheUserForTheDefaults) {
  ResponseHeadParts parts = usual();
  const OwnedFields fields = fields_of({{"date", "mine"}, {"SERVER", "mine"}, {"content-type", "mine"}});
  parts.fields = fields;
  EXPECT_EQ(written(parts),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\ndate: mine\r\nSERVER: mine\r\ncontent-type: mine\r\n\r\n");
}

TEST(WriteResponseHead, CopiesTheOpeningWhereItFits) {
  ResponseHeadParts parts = usual();
  parts.defaults.opening = "the opening\r\n";
  const auto is_copied = [&] { return written(parts).starts_with("the opening\r\n"); };
  EXPECT_TRUE(is_copied());
  parts.reason = "OK";
  EXPECT_FALSE(is_copied());
  parts.reason = std::nullopt;
  parts.no_default_date = true;
  EXPECT_FALSE(is_copied());
  parts.no_default_date = false;
  parts.no_default_server = true;
  EXPECT_FALSE(is_copied());
  parts.no_default_server = false;
  for (const std::string_view name : {"Date", "Server"}) {
    const OwnedFields fields = fields_of({{name, "mine"}});
    parts.fields = fields;
    EXPECT_FALSE(is_copied()) << name;
  }
}

TEST(WritePlainResponse, WritesWhatTheLongWayDoes) {
  std::string opening;
  for (const int status : {200, 201, 206, 301, 400, 404, 500, 599, 600, 999}) {
    for (const std::string_view type : {"", "text/plain"}) {
      for (const std::string_view body : {"", "x", "some octets"}) {
        ResponseHeadParts parts = usual();
        parts.status = status;
        parts.content_type = FieldValue::checked(type);
        parts.length = body.size();
        Buffer longer;
        ASSERT_TRUE(write_response_head(longer, parts, body));
        Buffer shorter;
        make_plain_opening(status, parts.defaults, parts.content_type, opening);
        write_plain_response(shorter, opening, body.size(), body);
        EXPECT_EQ(shorter.readable(), longer.readable());
      }
    }
  }
}

// As for HEAD, or a body that goes apart.
TEST(WritePlainResponse, DeclaresABodyThatItDoesNotWrite) {
  DefaultLines defaults;
  defaults.opening = "HTTP/1.1 200 OK\r\n";
  std::string opening;
  make_plain_opening(200, defaults, "a/b", opening);
  Buffer out;
  out.append("before ");
  write_plain_response(out, opening, 12);
  EXPECT_EQ(out.readable(), "before HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 12\r\n\r\n");
}

TEST(WriteResponseHead, WritesAnyReasonWithoutControls) {
  ResponseHeadParts parts;
  parts.status = 456;
  parts.reason = "As You \xc3\x84re, \t!";
  EXPECT_TRUE(written(parts).starts_with("HTTP/1.1 456 As You \xc3\x84re, \t!\r\n"));
  parts.reason = "";
  EXPECT_TRUE(written(parts).starts_with("HTTP/1.1 456 \r\n"));
  parts.reason = std::nullopt;
  EXPECT_TRUE(written(parts).starts_with("HTTP/1.1 456 " + std::string(reason_phrase(456)) + "\r\n"));
  for (const std::string_view reason : {"a\r\nX: y"sv, "a\nb"sv, "\r"sv, "a\0"sv, "\x7f"sv}) {
    parts.reason = reason;
    EXPECT_EQ(written(parts), message(Errc::bad_reason));
  }
  const std::string long_reason(1025, 'r');
  parts.reason = long_reason;
  EXPECT_EQ(written(parts), message(Errc::bad_reason));
}

TEST(WriteResponseHead, RefusesFramingOfTheUsers) {
  for (const std::string_view name : {"Content-Length", "content-length", "Transfer-Encoding", "TRANSFER-ENCODING"}) {
    const OwnedFields fields = fields_of({{"X", "y"}, {name, "5"}});
    for (const Method method : {Method::get, Method::head}) {
      ResponseHeadParts parts = usual();
      parts.fields = fields;
      parts.request_method = method;
      EXPECT_EQ(written(parts), message(Errc::managed_field)) << name;
    }
  }
}

TEST(WriteResponseHead, RefusesABodyThatIsNotTheDeclaredOne) {
  ResponseHeadParts parts = usual();
  EXPECT_EQ(written(parts, "hell"), message(Errc::wrong_body_size));
  EXPECT_EQ(written(parts, "hello!"), message(Errc::wrong_body_size));
  parts.request_method = Method::head;
  EXPECT_EQ(written(parts, "hello"), message(Errc::wrong_body_size));
  parts.request_method = Method::get;
  parts.length = {};
  EXPECT_EQ(written(parts, "hello"), message(Errc::wrong_body_size));
  parts.status = 204;
  EXPECT_EQ(written(parts, "hello"), message(Errc::wrong_body_size));
}

struct Persistence {
  bool is_for_http_1_0, keeps_alive, is_length_known;
  std::string_view own, expected;
};

TEST(WriteResponseHead, SaysWhetherTheConnectionStays) {
  constexpr Persistence kRows[] = {
      {false, true, true, "", ""},
      {false, false, true, "", "Connection: close\r\n"},
      {false, true, false, "", ""},
      {true, true, true, "", "Connection: keep-alive\r\n"},
      {true, false, true, "", "Connection: close\r\n"},
      {true, true, false, "", "Connection: close\r\n"},  // the body ends with it
      {false, false, true, "close", "Connection: close\r\n"},
      {false, false, true, "X-Hop, Close", "Connection: X-Hop, Close\r\n"},
      {false, false, true, "X-Hop", "Connection: X-Hop\r\nConnection: close\r\n"},
      {true, true, true, "keep-alive", "Connection: keep-alive\r\n"},
      {true, true, true, "X-Hop", "Connection: X-Hop\r\nConnection: keep-alive\r\n"},
      {true, true, true, "close", "Connection: close\r\n"},
  };
  for (const Persistence& row : kRows) {
    ResponseHeadParts parts;
    parts.is_for_http_1_0 = row.is_for_http_1_0;
    parts.keeps_alive = row.keeps_alive;
    parts.length = row.is_length_known ? KnownLength(0) : KnownLength();
    OwnedFields fields;
    if (!row.own.empty()) {
      ASSERT_TRUE(fields.add("Connection", row.own));
    }
    parts.fields = fields;
    const std::string head = written(parts);
    EXPECT_EQ(head.contains("Connection: ") ? head.substr(head.find("Connection: ")) : "\r\n",
              std::string(row.expected) + "\r\n");
  }
}

TEST(WriteResponseHead, SwitchesProtocols) {
  ResponseHeadParts parts = usual();
  parts.status = 101;
  parts.length = 0;
  parts.content_type = {};
  EXPECT_EQ(written(parts), message(Errc::bad_status));  // to what?
  const OwnedFields fields = fields_of({{"Upgrade", "websocket"}});
  parts.fields = fields;
  EXPECT_EQ(written(parts), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  const OwnedFields both = fields_of({{"Upgrade", "websocket"}, {"Connection", "upgrade"}});
  parts.fields = both;
  EXPECT_EQ(written(parts), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n");
  parts.is_for_http_1_0 = true;
  EXPECT_EQ(written(parts), message(Errc::bad_status));
}

TEST(WriteResponseHead, RefusesInterimStatuses) {
  for (const int status : {100, 102, 103, 199, 99, 0, 1000}) {
    ResponseHeadParts parts;
    parts.status = status;
    EXPECT_EQ(written(parts), message(Errc::bad_status)) << status;
  }
}

TEST(WriteResponseHead, AnnouncesTrailersOnlyWhereSomeCanFollow) {
  const OwnedFields fields = fields_of({{"Trailer", "X-Sum"}, {"X", "y"}});
  ResponseHeadParts parts;
  parts.fields = fields;
  parts.length = {};
  EXPECT_EQ(written(parts), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nX: y\r\n\r\n");
  parts.is_for_http_1_0 = true;
  EXPECT_EQ(written(parts), "HTTP/1.1 200 OK\r\nX: y\r\nConnection: close\r\n\r\n");
  parts.is_for_http_1_0 = false;
  parts.length = 5;
  EXPECT_EQ(written(parts), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\n");
  const OwnedFields forbidden = fields_of({{"Trailer", "Content-Length"}});
  parts.fields = forbidden;
  EXPECT_EQ(written(parts), message(Errc::bad_trailer));
}

TEST(WriteResponseHead, WritesBehindWhatIsInTheBuffer) {
  Buffer out;
  out.append("before ");
  EXPECT_TRUE(write_response_head(out, ResponseHeadParts(), {}));
  ResponseHeadParts bad;
  bad.reason = "\n";
  EXPECT_FALSE(write_response_head(out, bad, {}));
  EXPECT_EQ(out.readable(), "before HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

// Every status, as every kind of answer: what the parser and the reader's body_length() make of it is what the writer
// said would follow.
TEST(WriteResponseHead, AgreesWithTheReader) {
  for (int status = 101; status <= kMaxStatus; ++status) {
    if (is_interim(status) && status != 101) continue;
    const OwnedFields fields = fields_of({{"Upgrade", "x"}, {"X-One", "1"}});
    for (const Method method : {Method::get, Method::head, Method::connect}) {
      for (const KnownLength length : {KnownLength(), KnownLength(0), KnownLength(7)}) {
        for (const bool is_for_http_1_0 : {false, true}) {
          ResponseHeadParts parts = usual();
          parts.status = status;
          parts.fields = fields;
          parts.request_method = method;
          parts.length = length;
          parts.is_for_http_1_0 = is_for_http_1_0;
          Buffer out;
          const Result<BodyLength> promised = write_response_head(out, parts);
          if (!promised) continue;
          const test::ResponseOutcome response = test::deliver_response({out.readable()});
          ASSERT_EQ(response.error, std::nullopt) << out.readable();
          ASSERT_EQ(response.size, out.size());
          EXPECT_EQ(response.head.status, status);
          EXPECT_EQ(response.head.reason, reason_phrase(status));
          EXPECT_EQ(body_length(response.head, method), promised) << out.readable();
          EXPECT_FALSE(is_for_http_1_0 && response.head.fields.contains(FieldName::transfer_encoding));
        }
      }
    }
  }
}

TEST(WriteInterimResponse, WritesItsFieldsAndNothingElse) {
  Buffer out;
  EXPECT_TRUE(write_interim_response(out, 100, false));
  EXPECT_EQ(out.readable(), "HTTP/1.1 100 Continue\r\n\r\n");
  out.clear();
  const OwnedFields hints = fields_of({{"Link", "</a.css>; rel=preload"}});
  EXPECT_TRUE(write_interim_response(out, 103, false, hints));
  EXPECT_EQ(out.readable(), "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
}

TEST(WriteInterimResponse, WritesNothingForHttpOneZero) {
  Buffer out;
  EXPECT_TRUE(write_interim_response(out, 100, true));
  EXPECT_TRUE(out.empty());
}

TEST(WriteInterimResponse, RefusesWhatIsNotInterim) {
  Buffer out;
  for (const int status : {99, 101, 200, 204, 0}) {
    EXPECT_EQ(error_of(write_interim_response(out, status, false)), Errc::bad_status) << status;
  }
  const OwnedFields fields = fields_of({{"Content-Length", "5"}});
  EXPECT_EQ(error_of(write_interim_response(out, 103, false, fields)), Errc::managed_field);
  EXPECT_TRUE(out.empty());
}

// ---- requests --------------------------------------------------------------------------------------------

RequestHeadParts get(std::string_view authority, std::string_view path) {
  RequestHeadParts parts;
  const Result<RequestTarget> target = RequestTarget::origin(authority, path);
  EXPECT_TRUE(target) << authority << path;
  if (target) parts.target = *target;
  return parts;
}

TEST(WriteRequestHead, WritesHostFirstAndDefaultsInFrontOfFields) {
  RequestHeadParts parts = get("a:81", "/b?c");
  const OwnedFields fields = fields_of({{"X-One", "1"}, {"x-two", ""}});
  parts.method = Method::post;
  parts.fields = fields;
  parts.user_agent = "u";
  parts.content_type = "text/plain";
  parts.length = 5;
  EXPECT_EQ(written(parts, "hello"),
            "POST /b?c HTTP/1.1\r\nHost: a:81\r\nUser-Agent: u\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"
            "X-One: 1\r\nx-two: \r\n\r\nhello");
}

TEST(WriteRequestHead, LeavesOutEachDefaultThatIsNotWanted) {
  RequestHeadParts parts = get("a", "/");
  parts.method = Method::post;
  parts.user_agent = "u";
  parts.content_type = "text/plain";
  parts.length = 5;
  parts.no_default_user_agent = parts.no_default_content_type = true;
  EXPECT_EQ(written(parts), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
  parts.no_default_content_length = true;
  EXPECT_EQ(written(parts), "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  parts.length = 0;
  EXPECT_EQ(written(parts), "POST / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(WriteRequestHead, SaysNoTypeWithoutABody) {
  RequestHeadParts parts = get("a", "/");
  parts.content_type = "text/plain";
  EXPECT_EQ(written(parts), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(WriteRequestHead, WritesASlashForAnEmptyPath) {
  EXPECT_TRUE(written(get("a", "")).starts_with("GET / HTTP/1.1\r\n"));
  EXPECT_TRUE(written(get("a", "?q")).starts_with("GET /?q HTTP/1.1\r\n"));
}

TEST(WriteRequestHead, WritesTheFormThatFitsTheMethod) {
  struct Row {
    Method method;
    Result<RequestTarget> target;
    std::string_view line;  // empty: refused
  };
  const Row rows[] = {
      {Method::get, RequestTarget::absolute("http", "a:81", "/b"), "GET http://a:81/b HTTP/1.1"},
      {Method::get, RequestTarget::absolute("http", "a", ""), "GET http://a/ HTTP/1.1"},
      {Method::get, RequestTarget::absolute("https", "[::1]", "?q"), "GET https://[::1]/?q HTTP/1.1"},
      {Method::options, RequestTarget::absolute("http", "a", "/"), "OPTIONS http://a/ HTTP/1.1"},
      {Method::connect, RequestTarget::authority("a:443"), "CONNECT a:443 HTTP/1.1"},
      {Method::options, RequestTarget::asterisk("a"), "OPTIONS * HTTP/1.1"},
      {Method::options, RequestTarget::origin("a", "/b"), "OPTIONS /b HTTP/1.1"},
      {Method::get, RequestTarget::authority("a:443"), ""},
      {Method::get, RequestTarget::asterisk("a"), ""},
      {Method::connect, RequestTarget::origin("a", "/"), ""},
      {Method::connect, RequestTarget::absolute("http", "a", "/"), ""},
      {Method::connect, RequestTarget::asterisk("a"), ""},
  };
  for (const Row& row : rows) {
    RequestHeadParts parts;
    parts.method = row.method;
    parts.target = *row.target;
    if (row.line.empty()) {
      EXPECT_EQ(written(parts), message(Errc::bad_target)) << to_string(row.method);
      continue;
    }
    const std::string head = written(parts);
    EXPECT_EQ(head, std::string(row.line) + "\r\nHost: " + std::string(row.target->host()) + "\r\n\r\n");
    const test::RequestOutcome request = test::parse_request(head);
    EXPECT_EQ(request.error, std::nullopt) << head;
    EXPECT_EQ(request.head.form, row.target->form()) << head;
    EXPECT_EQ(request.head.authority, row.target->host()) << head;
  }
}

TEST(WriteRequestHead, WritesAnyMethodThatIsAToken) {
  RequestHeadParts parts = get("a", "/");
  parts.method = Method::other;
  parts.method_text = "M-SEARCH";
  EXPECT_TRUE(written(parts).starts_with("M-SEARCH / HTTP/1.1\r\n"));
  parts.method_text = "POST";  // whose meaning does not depend on how it was given
  EXPECT_TRUE(written(parts).contains("Content-Length: 0\r\n"));
  parts.method_text = "CONNECT";
  EXPECT_EQ(written(parts), message(Errc::bad_target));
  const std::string long_name(33, 'M');
  for (const std::string_view name :
       {""sv, "GET "sv, "G T"sv, "GET\r\nX: y"sv, "G\0T"sv, "GET:"sv, "G\xc3\xa9t"sv, std::string_view(long_name)}) {
    parts.method_text = name;
    EXPECT_EQ(written(parts), message(Errc::bad_method)) << name;
  }
}

TEST(WriteRequestHead, PutsAHostOfTheUsersInFront) {
  RequestHeadParts parts = get("a", "/");
  const OwnedFields fields = fields_of({{"X", "y"}, {"hOST", "other:81"}, {"Z", ""}});
  parts.fields = fields;
  EXPECT_EQ(written(parts), "GET / HTTP/1.1\r\nhOST: other:81\r\nX: y\r\nZ: \r\n\r\n");
  parts.target = *RequestTarget::absolute("http", "a", "/");
  EXPECT_EQ(written(parts), message(Errc::bad_host));
  parts.target = *RequestTarget::absolute("http", "OTHER:81", "/");
  EXPECT_TRUE(written(parts).starts_with("GET http://OTHER:81/ HTTP/1.1\r\nhOST: other:81\r\nX: y\r\n"));
  const OwnedFields two = fields_of({{"Host", "a"}, {"Host", "a"}});
  parts.fields = two;
  EXPECT_EQ(written(parts), message(Errc::repeated_host));
  const OwnedFields bad = fields_of({{"Host", "u@a"}});
  parts = get("a", "/");
  parts.fields = bad;
  EXPECT_EQ(written(parts), message(Errc::bad_host));
}

TEST(WriteRequestHead, WritesAnEmptyHostForATargetWithoutOne) {
  EXPECT_EQ(written(get("", "/")), "GET / HTTP/1.1\r\nHost: \r\n\r\n");
}

TEST(WriteRequestHead, ExpectsOnlyInFrontOfABody) {
  RequestHeadParts parts = get("a", "/");
  parts.method = Method::post;
  parts.expects_continue = true;
  EXPECT_FALSE(written(parts).contains("Expect"));
  parts.length = 5;
  EXPECT_EQ(written(parts), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  parts.is_for_http_1_0 = true;
  EXPECT_FALSE(written(parts).contains("Expect"));
  parts.is_for_http_1_0 = false;
  const OwnedFields own = fields_of({{"Expect", "100-continue"}});
  parts.fields = own;
  EXPECT_EQ(written(parts), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  parts.length = 0;
  EXPECT_EQ(written(parts), message(Errc::managed_field));
}

TEST(WriteRequestHead, ListsWhatConcernsTheConnection) {
  struct Row {
    bool keeps_alive, is_for_http_1_0;
    Field own;
    std::string_view expected;
  };
  constexpr Row kRows[] = {
      {true, false, {"X", "y"}, "X: y\r\n"},
      {false, false, {"X", "y"}, "X: y\r\nConnection: close\r\n"},
      {true, true, {"X", "y"}, "X: y\r\nConnection: keep-alive\r\n"},
      {true, false, {"Upgrade", "x"}, "Upgrade: x\r\nConnection: Upgrade\r\n"},
      {true, false, {"TE", "trailers"}, "TE: trailers\r\nConnection: TE\r\n"},
      {false, false, {"TE", "trailers"}, "TE: trailers\r\nConnection: close, TE\r\n"},
  };
  for (const Row& row : kRows) {
    RequestHeadParts parts = get("a", "/");
    parts.keeps_alive = row.keeps_alive;
    parts.is_for_http_1_0 = row.is_for_http_1_0;
    const OwnedFields fields = fields_of({row.own});
    parts.fields = fields;
    EXPECT_EQ(written(parts), "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(row.expected) + "\r\n");
  }
  RequestHeadParts parts = get("a", "/");
  const OwnedFields listed = fields_of({{"TE", "trailers"}, {"Connection", "te"}});
  parts.fields = listed;
  EXPECT_EQ(written(parts), "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: te\r\n\r\n");
}

TEST(WriteRequestHead, NeverListsChunkedInTe) {
  for (const std::string_view value : {"chunked", "trailers, Chunked", "chunked;q=0.5", "trailers,chunked ;q=1"}) {
    RequestHeadParts parts = get("a", "/");
    const OwnedFields fields = fields_of({{"TE", value}});
    parts.fields = fields;
    EXPECT_EQ(written(parts), message(Errc::bad_transfer_coding)) << value;
  }
}

TEST(WriteRequestHead, RefusesFramingOfTheUsers) {
  for (const std::string_view name : {"Content-Length", "Transfer-Encoding"}) {
    RequestHeadParts parts = get("a", "/");
    const OwnedFields fields = fields_of({{name, "5"}});
    parts.fields = fields;
    EXPECT_EQ(written(parts), message(Errc::managed_field)) << name;
  }
}

TEST(WriteRequestHead, RefusesABodyThatIsNotTheDeclaredOne) {
  RequestHeadParts parts = get("a", "/");
  EXPECT_EQ(written(parts, "hello"), message(Errc::wrong_body_size));
  parts.length = 4;
  EXPECT_EQ(written(parts, "hello"), message(Errc::wrong_body_size));
  parts.length = {};
  EXPECT_EQ(written(parts, "hello"), message(Errc::wrong_body_size));
}

}  // namespace
}  // namespace pipette::http
