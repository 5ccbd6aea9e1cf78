#include "pipette/base/errc.h"

#include <gtest/gtest.h>
#include <set>
#include <string>
#include <utility>

#include "pipette/base/result.h"

#include "tests/support/printers.h"

namespace pipette {
namespace {

constexpr int kFirst = static_cast<int>(Errc::would_block);
constexpr int kLast = static_cast<int>(Errc::pipeline_overflow);

template <class F>
void for_each_errc(F&& f) {
  for (int value = kFirst; value <= kLast; ++value) f(static_cast<Errc>(value));
}

constexpr std::pair<Errc, std::errc> kTwins[] = {
    {Errc::would_block, std::errc::operation_would_block},
    {Errc::would_block, std::errc::resource_unavailable_try_again},
    {Errc::timed_out, std::errc::timed_out},
    {Errc::connection_reset, std::errc::connection_reset},
    {Errc::connection_refused, std::errc::connection_refused},
    {Errc::connection_aborted, std::errc::connection_aborted},
    {Errc::operation_canceled, std::errc::operation_canceled},
    {Errc::broken_pipe, std::errc::broken_pipe},
    {Errc::address_in_use, std::errc::address_in_use},
    {Errc::address_not_available, std::errc::address_not_available},
    {Errc::too_many_open_files, std::errc::too_many_files_open},
    {Errc::too_many_open_files_in_system, std::errc::too_many_files_open_in_system},
    {Errc::host_unreachable, std::errc::host_unreachable},
    {Errc::network_unreachable, std::errc::network_unreachable},
};

TEST(Errc, EveryRowIsThatOfItsCode) {
  for_each_errc([](Errc code) { EXPECT_EQ(errc_row(code).code, code) << static_cast<int>(code); });
}

TEST(Errc, EveryRowHasAMessageOfItsOwn) {
  std::set<std::string_view> messages;
  for_each_errc([&](Errc code) {
    EXPECT_FALSE(errc_row(code).message.empty()) << static_cast<int>(code);
    EXPECT_TRUE(messages.insert(errc_row(code).message).second) << errc_row(code).message;
  });
}

TEST(Errc, EveryStatusIsAnErrorsOrNone) {
  for_each_errc([](Errc code) {
    const int status = errc_row(code).status;
    EXPECT_TRUE(status == 0 || (status >= 400 && status < 600)) << errc_row(code).message;
  });
}

TEST(Errc, WhatCanBeAnsweredNamesTheRuleThatWasBroken) {
  for_each_errc([](Errc code) {
    const ErrcRow& row = errc_row(code);
    EXPECT_EQ(row.section.empty(), row.status == 0) << row.message;
    EXPECT_TRUE(row.section.empty() || row.section.starts_with("RFC ")) << row.message;
  });
}

TEST(Errc, NoMistakeInAMessageLeavesTheConnectionUsable) {
  for (int value = static_cast<int>(Errc::bad_method); value <= static_cast<int>(Errc::incomplete_message); ++value) {
    const ErrcRow& row = errc_row(static_cast<Errc>(value));
    EXPECT_FALSE(row.connection_survives) << row.message;
  }
}

TEST(Errc, StatusesAreThoseOfTheRfc) {
  constexpr std::pair<Errc, int> kStatuses[] = {
      {Errc::bad_method, 400},          {Errc::bad_target, 400},
      {Errc::bad_version, 400},         {Errc::unsupported_version, 505},
      {Errc::target_too_long, 414},     {Errc::bad_line_end, 400},
      {Errc::bad_field_name, 400},      {Errc::bad_field_value, 400},
      {Errc::field_too_large, 431},     {Errc::too_many_fields, 431},
      {Errc::head_too_large, 431},      {Errc::missing_host, 400},
      {Errc::repeated_host, 400},       {Errc::bad_host, 400},
      {Errc::bad_content_length, 400},  {Errc::conflicting_framing, 400},
      {Errc::bad_transfer_coding, 400}, {Errc::unknown_transfer_coding, 501},
      {Errc::bad_chunk, 400},           {Errc::body_too_large, 413},
      {Errc::incomplete_message, 400},  {Errc::expectation_failed, 417},
      {Errc::request_timeout, 408},     {Errc::timed_out, 0},
  };
  for (const auto& [code, status] : kStatuses) EXPECT_EQ(errc_row(code).status, status) << errc_row(code).message;
}

TEST(Errc, MessagesReachTheErrorCode) {
  const std::error_code error = Errc::bad_chunk;
  EXPECT_EQ(error.message(), errc_row(Errc::bad_chunk).message);
  EXPECT_STREQ(error.category().name(), "pipette");
  EXPECT_EQ(error.value(), static_cast<int>(Errc::bad_chunk));
}

TEST(Errc, AnUnknownValueHasAMessageToo) {
  EXPECT_FALSE(std::error_code(0, errc_category()).message().empty());
  EXPECT_FALSE(std::error_code(kLast + 1, errc_category()).message().empty());
  EXPECT_FALSE(std::error_code(-1, errc_category()).message().empty());
}

TEST(Errc, EqualsItsPosixCondition) {
  for (const auto& [code, condition] : kTwins) {
    EXPECT_EQ(make_error_code(code), condition) << errc_row(code).message;
    EXPECT_EQ(condition, make_error_code(code)) << errc_row(code).message;
  }
}

TEST(Errc, OfAPhaseThatTookTooLongIsATimeout) {
  for (int value = static_cast<int>(Errc::resolve_timeout); value <= static_cast<int>(Errc::body_timeout); ++value) {
    const auto code = static_cast<Errc>(value);
    EXPECT_EQ(make_error_code(code), std::errc::timed_out) << errc_row(code).message;
    EXPECT_NE(make_error_code(code), make_error_code(Errc::timed_out)) << "and tells which one";
    EXPECT_EQ(errc_row(code).status, 504) << errc_row(code).message;
  }
  EXPECT_EQ(errc_of(std::make_error_code(std::errc::timed_out)), Errc::timed_out);
  EXPECT_NE(make_error_code(Errc::proxy_refused), std::errc::timed_out);
}

TEST(Errc, EqualsNoOtherPosixCondition) {
  EXPECT_NE(make_error_code(Errc::timed_out), std::errc::connection_reset);
  EXPECT_NE(make_error_code(Errc::bad_chunk), std::errc::invalid_argument);
  EXPECT_NE(make_error_code(Errc::end_of_stream), std::errc::timed_out);
}

TEST(Errc, IsFoundInAPosixError) {
  for (const auto& [code, condition] : kTwins) {
    EXPECT_EQ(errc_of(std::make_error_code(condition)), code) << errc_row(code).message;
    EXPECT_EQ(errc_of({static_cast<int>(condition), std::system_category()}), code) << errc_row(code).message;
  }
}

TEST(Errc, IsFoundInItsOwnErrorCode) {
  for_each_errc([](Errc code) { EXPECT_EQ(errc_of(make_error_code(code)), code); });
}

TEST(Errc, IsWhatTheCallerSaysWhenAPosixErrorHasNoTwin) {
  EXPECT_EQ(errc_of(std::make_error_code(std::errc::no_space_on_device)), Errc::connection_aborted);
  EXPECT_EQ(errc_of(std::make_error_code(std::errc::no_space_on_device), Errc::not_supported), Errc::not_supported);
}

TEST(Result, CarriesAnErrcAsAnErrorCode) {
  const Result<int> result = fail(Errc::bad_uri);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), Errc::bad_uri);
}

}  // namespace
}  // namespace pipette
