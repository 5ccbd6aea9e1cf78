// What heads say about the connection (RFC 9110 §7.6.1, RFC 9112 §9.3), and writing them.
#include "pipette/http/head.h"

#include <gtest/gtest.h>
#include <string>

#include "pipette/http/head_writer.h"
#include "pipette/http/status.h"

#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

OwnedFields with_connection(std::initializer_list<std::string_view> values) {
  OwnedFields fields;
  for (const std::string_view value : values) EXPECT_TRUE(fields.add("Connection", value));
  return fields;
}

TEST(ConnectionOptions, AreFoundInListsInAnyCase) {
  for (const std::string_view value :
       {"close", "Close", "CLOSE", "close, te", "te,close", "te , \tclose\t ,x", ",,close,,", "keep-alive, close"}) {
    EXPECT_TRUE(connection_options(with_connection({value}).view()).close) << value;
  }
  EXPECT_TRUE(connection_options(with_connection({"Keep-Alive"}).view()).keep_alive);
  EXPECT_TRUE(connection_options(with_connection({"te, UPGRADE"}).view()).upgrade);
}

TEST(ConnectionOptions, AreFoundInEveryLine) {
  const ConnectionOptions options = connection_options(with_connection({"upgrade", "te", "close"}).view());
  EXPECT_TRUE(options.close);
  EXPECT_TRUE(options.upgrade);
  EXPECT_FALSE(options.keep_alive);
}

TEST(ConnectionOptions, AreWholeWords) {
  for (const std::string_view value :
       {"", "closed", "close-notify", "disclose", "clos", "close;x", "\"close\"", "clo se"}) {
    const ConnectionOptions options = connection_options(with_connection({value}).view());
    EXPECT_FALSE(options.close) << value;
    EXPECT_FALSE(options.keep_alive) << value;
    EXPECT_FALSE(options.upgrade) << value;
  }
}

TEST(Persistence, IsTheDefaultInHttp11UnlessCloseIsAsked) {
  EXPECT_TRUE(persists(false, Fields()));
  EXPECT_TRUE(persists(false, with_connection({"keep-alive"}).view()));
  EXPECT_TRUE(persists(false, with_connection({"upgrade"}).view()));
  EXPECT_FALSE(persists(false, with_connection({"close"}).view()));
  EXPECT_FALSE(persists(false, with_connection({"keep-alive", "close"}).view()));
  EXPECT_FALSE(persists(false, with_connection({"close, keep-alive"}).view()));
}

TEST(Persistence, MustBeAskedForInHttp10) {
  EXPECT_FALSE(persists(true, Fields()));
  EXPECT_FALSE(persists(true, with_connection({"upgrade"}).view()));
  EXPECT_TRUE(persists(true, with_connection({"Keep-Alive"}).view()));
  EXPECT_FALSE(persists(true, with_connection({"keep-alive, close"}).view()));
}

TEST(Status, HasAReasonPhraseAndALine) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(418), "Unknown");
  EXPECT_EQ(status_line(404), "HTTP/1.1 404 Not Found\r\n");
  EXPECT_EQ(status_line(999), "HTTP/1.1 999 Unknown\r\n");
}

TEST(Status, EveryLineIsReadBackAsItself) {
  for (int status = kMinStatus; status <= kMaxStatus; ++status) {
    const test::ResponseOutcome response = test::deliver_response({std::string(status_line(status)) + "\r\n"});
    ASSERT_EQ(response.error, std::nullopt) << status;
    EXPECT_EQ(response.head.status, status);
    EXPECT_EQ(response.head.reason, reason_phrase(status));
  }
}

TEST(Status, SaysWhatMayFollow) {
  for (int status = kMinStatus; status <= kMaxStatus; ++status) {
    EXPECT_EQ(is_interim(status), status / 100 == 1) << status;
    EXPECT_EQ(forbids_body(status), status / 100 == 1 || status == 204 || status == 304) << status;
  }
  for (const int status : {301, 302, 303, 307, 308}) EXPECT_TRUE(is_redirect(status)) << status;
  for (const int status : {200, 300, 304, 305, 306, 309, 400}) EXPECT_FALSE(is_redirect(status)) << status;
}

TEST(Method, IsReadBackFromItsName) {
  for (std::size_t i = 0; i + 1 < kMethodNames.size(); ++i) {
    EXPECT_EQ(method_of(kMethodNames[i]), static_cast<Method>(i)) << kMethodNames[i];
    EXPECT_EQ(to_string(static_cast<Method>(i)), kMethodNames[i]);
  }
  for (const std::string_view name : {"", "get", "GE", "GETS", "Post", "DELETE "}) {
    EXPECT_EQ(method_of(name), Method::other) << name;
  }
}

TEST(HeadWriter, WritesWhatTheParserReads) {
  OwnedFields fields;
  EXPECT_TRUE(fields.add("X-One", "1"));
  EXPECT_TRUE(fields.add("X-Empty", ""));
  Buffer out;
  HeadWriter writer(out, status_line(200).size() + written_size(fields.view()) + 16 + kMaxDecimalBytes + 2 + 2);
  writer.put(status_line(200));
  for (std::size_t i = 0; i < fields.size(); ++i) writer.field(fields[i].name, fields[i].value);
  writer.content_length(UINT64_MAX);
  writer.end();
  EXPECT_EQ(out.readable(), "HTTP/1.1 200 OK\r\nX-One: 1\r\nX-Empty: \r\nContent-Length: 18446744073709551615\r\n\r\n");
  const test::ResponseOutcome response = test::parse_response(out.readable());
  EXPECT_EQ(response.size, out.size());
  EXPECT_EQ(response.head.fields.get("X-One"), "1");
  EXPECT_EQ(response.head.fields.get("X-Empty"), "");
}

TEST(HeadWriter, WritesBehindWhatIsInTheBuffer) {
  Buffer out;
  out.append("before ");
  HeadWriter writer(out, 100);
  writer.put("A");
  writer.put("");
  writer.put_decimal(0);
  writer.end("body");
  EXPECT_EQ(out.readable(), "before A0\r\nbody");
}

TEST(HeadWriter, NeedsNoMoreRoomThanWasAskedFor) {
  OwnedFields fields;
  EXPECT_TRUE(fields.add("Name", "value"));
  EXPECT_EQ(written_size(fields.view()), std::string_view("Name: value\r\n").size());
  EXPECT_EQ(written_size(Fields()), 0U);
}

// RFC 9110 §9.2.1, §9.2.2.
TEST(Method, SomeAreSafeAndMoreAreIdempotent) {
  const auto are = [](bool (*is)(Method)) {
    std::string names;
    for (const std::string_view name : kMethodNames) names += is(method_of(name)) ? std::string(name) + " " : "";
    return names;
  };
  EXPECT_EQ(are([](Method method) { return is_safe(method); }), "GET HEAD OPTIONS TRACE ");
  EXPECT_EQ(are([](Method method) { return is_idempotent(method); }), "GET HEAD PUT DELETE OPTIONS TRACE ");
  EXPECT_FALSE(is_safe(Method::other) || is_idempotent(Method::other));
}

}  // namespace
}  // namespace pipette::http
