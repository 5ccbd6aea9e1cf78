// The defaults of every option, and what a client sees of those that no other test is about.
#include "pipette/server/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>

#include "pipette/lab/gtest.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::Serving;
using test::statuses;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// ---- defaults ------------------------------------------------------------------------------------------------

// Each field has its name here and its line below; one more does not compile until it has both.
TEST(ServerOptions, AreWhatTheGuideSaysUnlessTold) {
  const ServerOptions options;
  const auto& [name, no_default_date, no_default_content_type,  //
               tls_handshake_timeout, read_header_timeout, read_timeout, read_body_min_rate, handler_timeout,
               write_timeout, write_min_rate, idle_timeout, linger_timeout, tcp_keepalive,  //
               head, max_request_body_bytes, concurrency, max_conns_per_ip, evict_idle, refusal, max_requests_per_conn,
               max_conn_age, max_overdue_handlers, disable_keepalive, get_only,  //
               read_buffer_bytes, write_buffer_bytes, max_read_ahead_bytes, stream_request_body, max_drain_bytes,
               on_header_received, on_expect_continue, on_error, on_conn_state, on_access,  //
               log, log_all_errors, secure_error_log_message] = options;
  EXPECT_EQ(name, "pipette");
  EXPECT_FALSE(no_default_date);
  EXPECT_FALSE(no_default_content_type);

  EXPECT_EQ(tls_handshake_timeout, 10s);
  EXPECT_EQ(read_header_timeout, 10s);
  EXPECT_EQ(read_timeout, 60s);
  EXPECT_EQ(read_body_min_rate, 240U);
  EXPECT_EQ(handler_timeout, 30s);
  EXPECT_EQ(write_timeout, 60s);
  EXPECT_EQ(write_min_rate, 240U);
  EXPECT_EQ(idle_timeout, 75s);
  EXPECT_EQ(linger_timeout, 5s);
  EXPECT_EQ(tcp_keepalive, 15s);

  const auto& [max_target_bytes, max_start_line_bytes, max_field_bytes, max_fields, max_head_bytes] = head;
  EXPECT_EQ(max_target_bytes, 8192U);
  EXPECT_EQ(max_start_line_bytes, 8192U + 64);
  EXPECT_EQ(max_field_bytes, 16U * 1024);
  EXPECT_EQ(max_fields, 100U);
  EXPECT_EQ(max_head_bytes, 64U * 1024);
  EXPECT_EQ(max_request_body_bytes, 4U * 1024 * 1024);
  EXPECT_EQ(concurrency, 256U * 1024);
  EXPECT_EQ(max_conns_per_ip, 0U);
  EXPECT_FALSE(evict_idle);
  EXPECT_EQ(refusal, Refusal::answer);
  EXPECT_EQ(max_requests_per_conn, 1'000'000U);
  EXPECT_EQ(max_conn_age, 24h);
  EXPECT_EQ(max_overdue_handlers, 1024U);
  EXPECT_FALSE(disable_keepalive);
  EXPECT_FALSE(get_only);

  EXPECT_EQ(read_buffer_bytes, 4096U);
  EXPECT_EQ(write_buffer_bytes, 4096U);
  EXPECT_EQ(max_read_ahead_bytes, 16U * 1024);
  EXPECT_FALSE(stream_request_body);
  EXPECT_EQ(max_drain_bytes, 256U * 1024);

  EXPECT_FALSE(on_header_received || on_expect_continue || on_error || on_conn_state || on_access);
  EXPECT_FALSE(log) << "standard error";
  EXPECT_FALSE(log_all_errors);
  EXPECT_FALSE(secure_error_log_message);
}

TEST(RequestConfig, LeavesEverythingAsTheServerHasIt) {
  const RequestConfig config;
  const auto& [read_timeout, write_timeout, handler_timeout, max_request_body_bytes, stream_request_body] = config;
  EXPECT_FALSE(read_timeout || write_timeout || handler_timeout);
  EXPECT_FALSE(max_request_body_bytes || stream_request_body);
}

// ---- sizes ---------------------------------------------------------------------------------------------------

struct Size {
  std::string name;
  void (*choose)(ServerOptions& options);
  std::string (*request)(std::size_t bytes);  // with so many of what is limited
  std::size_t most;
  int status;
};

std::string in_trailers(const std::string& trailers) {
  return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + trailers + "\r\n";
}

std::string lines_of(std::size_t count) {
  std::string lines;
  for (std::size_t i = 0; i < count; ++i) lines += "X: y\r\n";
  return lines;
}

// A field of so many octets, its CRLF included.
std::string field_of(std::size_t bytes) { return "X:" + std::string(bytes - 4, 'v') + "\r\n"; }

const Size kSizes[] = {
    {"StartLine", [](ServerOptions& options) { options.head.max_start_line_bytes = 100; },
     [](std::size_t bytes) { return get("/" + std::string(bytes - 16, 'a')); }, 100, 414},
    {"Head", [](ServerOptions& options) { options.head.max_head_bytes = 100; },
     [](std::size_t bytes) { return get("/", field_of(bytes - get("/").size())); }, 100, 431},
    {"FieldsOfATrailer", [](ServerOptions& options) { options.head.max_fields = 3; },
     [](std::size_t count) { return in_trailers(lines_of(count)); }, 3, 431},
    {"FieldOfATrailer", [](ServerOptions& options) { options.head.max_field_bytes = 100; },
     [](std::size_t bytes) { return in_trailers(field_of(bytes)); }, 100, 431},
    {"WholeTrailer", [](ServerOptions& options) { options.head.max_head_bytes = 200; },
     [](std::size_t bytes) { return in_trailers(field_of(bytes - 2)); }, 200, 431},
};

class SizeLimit : public testing::TestWithParam<Size> {};

TEST_P(SizeLimit, StrikesAtOneOctetMore) {
  const Size& size = GetParam();
  ServerOptions options;
  size.choose(options);
  Serving app([](RequestCtx&) {}, options);
  const auto answered = [&](std::size_t bytes) { return statuses(app.answer_to(size.request(bytes) + get("/"))); };
  EXPECT_THAT(answered(size.most), ElementsAre(200, 200));
  EXPECT_THAT(answered(size.most + 1), ElementsAre(size.status)) << "and the connection has closed";
}

INSTANTIATE_TEST_SUITE_P(OfTheServer, SizeLimit, testing::ValuesIn(kSizes),
                         [](const testing::TestParamInfo<Size>& size) { return size.param.name; });

// ---- the log -------------------------------------------------------------------------------------------------

TEST(ServerLog, HasWhatClientsDoWrongOnlyWhenAsked) {
  for (const bool has_all : {false, true}) {
    ServerOptions options;
    options.log_all_errors = has_all;
    Serving app([](RequestCtx&) {}, options);
    EXPECT_THAT(statuses(app.answer_to("nonsense\r\n\r\n")), ElementsAre(400));
    if (has_all) {
      EXPECT_THAT(app.log(), ElementsAre(HasSubstr("refused a request: ")));
    } else {
      EXPECT_THAT(app.log(), IsEmpty());
    }
  }
}

TEST(ServerLog, LeavesOutWhatCameFromTheClientWhenAsked) {
  for (const bool is_secure : {false, true}) {
    ServerOptions options;
    options.secure_error_log_message = is_secure;
    Serving app([](RequestCtx&) { throw std::runtime_error("out of luck"); }, options);
    EXPECT_THAT(statuses(app.answer_to(get("/secret"))), ElementsAre(500));
    EXPECT_THAT(app.log(), ElementsAre(HasSubstr("out of luck")));
    EXPECT_EQ(app.log().front().contains("/secret"), !is_secure);
  }
}

}  // namespace
}  // namespace pipette::server
