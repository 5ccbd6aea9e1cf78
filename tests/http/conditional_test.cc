// RFC 9110 §13.2.2, step by step.
#include "pipette/http/conditional.h"

#include <gtest/gtest.h>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace pipette::http {

void PrintTo(Verdict verdict, std::ostream* out) {  // NOLINT(readability-identifier-naming): GoogleTest's name
  constexpr std::string_view kNames[] = {"proceed", "proceed without range", "not modified", "precondition failed"};
  *out << kNames[static_cast<std::size_t>(verdict)];
}

namespace {

using Lines = std::vector<std::pair<std::string_view, std::string_view>>;
using enum Verdict;

constexpr std::string_view kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kModified = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kModifiedAsctime = "Sun Nov  6 08:49:37 1994";
constexpr std::string_view kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr WallTime kModifiedTime(std::chrono::milliseconds(784'111'777'250));
constexpr WallTime kNow(std::chrono::seconds(1'000'000'000));

constexpr Representation kStrong{true, EntityTag{"a"}, kModifiedTime};
constexpr Representation kWeak{true, EntityTag{"a", true}, kModifiedTime};
constexpr Representation kNoValidators{true};
constexpr Representation kAbsent{false};

struct Case {
  Lines lines;
  Verdict verdict;
};

void expect_each(Method method, const Representation& current, const std::vector<Case>& cases, WallTime now = kNow) {
  for (const Case& row : cases) {
    OwnedFields fields;
    std::string text(to_string(method));
    for (const auto& [name, value] : row.lines) {
      EXPECT_TRUE(fields.add(name, value)) << value;
      text.append("\n").append(name).append(": ").append(value);
    }
    EXPECT_EQ(evaluate_conditions(method, fields.view(), current, now), row.verdict) << text;
  }
}

TEST(Conditions, NoneMeansProceed) {
  for (const Method method : {Method::get, Method::head, Method::put, Method::post, Method::delete_, Method::other}) {
    expect_each(method, kStrong, {{{}, proceed}, {{{"Range", "bytes=0-1"}}, proceed}, {{{"Host", "a"}}, proceed}});
  }
}

TEST(Conditions, AreIgnoredByMethodsThatSelectNothing) {
  for (const Method method : {Method::connect, Method::options, Method::trace}) {
    expect_each(method, kStrong, {{{{"If-Match", "\"x\""}}, proceed}, {{{"If-None-Match", "*"}}, proceed}});
  }
}

TEST(Conditions, Step1IfMatchComparesStrongly) {
  for (const Method method : {Method::get, Method::head, Method::put, Method::delete_, Method::patch, Method::other}) {
    expect_each(method, kStrong,
                {{{{"If-Match", "*"}}, proceed},
                 {{{"If-Match", "\"a\""}}, proceed},
                 {{{"If-Match", "\"x\", \"a\""}}, proceed},
                 {{{"If-Match", "\"x\""}, {"If-Match", "\"a\""}}, proceed},
                 {{{"If-Match", "\"x\""}}, precondition_failed},
                 {{{"If-Match", "W/\"a\""}}, precondition_failed},
                 {{{"If-Match", ""}}, precondition_failed}});
    expect_each(method, kWeak,
                {{{{"If-Match", "\"a\""}}, precondition_failed},
                 {{{"If-Match", "W/\"a\""}}, precondition_failed},
                 {{{"If-Match", "*"}}, proceed}});
    expect_each(method, kNoValidators,
                {{{{"If-Match", "\"a\""}}, precondition_failed}, {{{"If-Match", "*"}}, proceed}});
    expect_each(method, kAbsent,
                {{{{"If-Match", "*"}}, precondition_failed}, {{{"If-Match", "\"a\""}}, precondition_failed}});
  }
}

TEST(Conditions, Step1AMalformedIfMatchMatchesNothing) {
  for (const Method method : {Method::get, Method::put}) {
    expect_each(method, kStrong,
                {{{{"If-Match", "a"}}, precondition_failed},
                 {{{"If-Match", "\"a\", x"}}, precondition_failed},
                 {{{"If-Match", "\"a\", *"}}, precondition_failed},
                 {{{"If-Match", "*, *"}}, precondition_failed},
                 {{{"If-Match", "*"}, {"If-Match", "*"}}, precondition_failed}});
  }
}

TEST(Conditions, Step2IfUnmodifiedSinceFailsOnceItWasModified) {
  for (const Method method : {Method::get, Method::head, Method::put}) {
    expect_each(method, kStrong,
                {{{{"If-Unmodified-Since", kBefore}}, precondition_failed},
                 {{{"If-Unmodified-Since", kModified}}, proceed},
                 {{{"If-Unmodified-Since", kModifiedAsctime}}, proceed},
                 {{{"If-Unmodified-Since", kAfter}}, proceed}});
  }
}

TEST(Conditions, Step2IfUnmodifiedSinceIsIgnoredWithIfMatchOrWithoutDates) {
  expect_each(Method::put, kStrong,
              {{{{"If-Match", "\"a\""}, {"If-Unmodified-Since", kBefore}}, proceed},
               {{{"If-Match", "\"x\""}, {"If-Unmodified-Since", kAfter}}, precondition_failed},
               {{{"If-Unmodified-Since", "yesterday"}}, proceed},
               {{{"If-Unmodified-Since", ""}}, proceed},
               {{{"If-Unmodified-Since", kBefore}, {"If-Unmodified-Since", kBefore}}, proceed}});
  expect_each(Method::put, kNoValidators, {{{{"If-Unmodified-Since", kBefore}}, proceed}});
}

TEST(Conditions, Step3IfNoneMatchComparesWeakly) {
  const auto expect_with = [](Method method, Verdict when_matching) {
    for (const Representation& current : {kStrong, kWeak}) {
      expect_each(method, current,
                  {{{{"If-None-Match", "*"}}, when_matching},
                   {{{"If-None-Match", "\"a\""}}, when_matching},
                   {{{"If-None-Match", "W/\"a\""}}, when_matching},
                   {{{"If-None-Match", "\"x\",W/\"a\",\"y\""}}, when_matching},
                   {{{"If-None-Match", "\"x\""}, {"If-None-Match", "\"a\""}}, when_matching},
                   {{{"If-None-Match", "\"x\""}}, proceed},
                   {{{"If-None-Match", ""}}, proceed}});
    }
    expect_each(method, kNoValidators,
                {{{{"If-None-Match", "\"a\""}}, proceed}, {{{"If-None-Match", "*"}}, when_matching}});
    expect_each(method, kAbsent, {{{{"If-None-Match", "*"}}, proceed}, {{{"If-None-Match", "\"a\""}}, proceed}});
  };
  for (const Method method : {Method::get, Method::head}) expect_with(method, not_modified);
  for (const Method method : {Method::put, Method::post, Method::delete_, Method::patch, Method::other}) {
    expect_with(method, precondition_failed);
  }
}

TEST(Conditions, Step3AMalformedIfNoneMatchFailsOnlyWhatWouldChangeSomething) {
  for (const std::string_view value : {"a", "\"a\", x", "\"a\", *", "*, *", "\"x\" \"a\""}) {
    expect_each(Method::get, kStrong, {{{{"If-None-Match", value}}, proceed}});
    expect_each(Method::put, kStrong, {{{{"If-None-Match", value}}, precondition_failed}});
  }
}

TEST(Conditions, Step4IfModifiedSinceSparesWhatWasNotModified) {
  for (const Method method : {Method::get, Method::head}) {
    expect_each(method, kStrong,
                {{{{"If-Modified-Since", kBefore}}, proceed},
                 {{{"If-Modified-Since", kModified}}, not_modified},
                 {{{"If-Modified-Since", kModifiedAsctime}}, not_modified},
                 {{{"If-Modified-Since", kAfter}}, not_modified}});
  }
}

TEST(Conditions, Step4IfModifiedSinceIsIgnoredWithIfNoneMatchOrABadDateOrOtherMethods) {
  expect_each(Method::get, kStrong,
              {{{{"If-None-Match", "\"x\""}, {"If-Modified-Since", kAfter}}, proceed},
               {{{"If-None-Match", "\"a\""}, {"If-Modified-Since", kBefore}}, not_modified},
               {{{"If-Modified-Since", "1994-11-06"}}, proceed},
               {{{"If-Modified-Since", kAfter}, {"If-Modified-Since", kAfter}}, proceed}});
  expect_each(Method::get, kNoValidators, {{{{"If-Modified-Since", kAfter}}, proceed}});
  for (const Method method : {Method::put, Method::post, Method::other}) {
    expect_each(method, kStrong, {{{{"If-Modified-Since", kAfter}}, proceed}});
  }
}

TEST(Conditions, AreEvaluatedInOrder) {
  expect_each(Method::get, kStrong,
              {{{{"If-None-Match", "\"a\""}, {"If-Match", "\"x\""}}, precondition_failed},
               {{{"If-None-Match", "\"a\""}, {"If-Match", "\"a\""}}, not_modified},
               {{{"If-None-Match", "\"a\""}, {"If-Unmodified-Since", kBefore}}, precondition_failed},
               {{{"If-Modified-Since", kAfter}, {"If-Unmodified-Since", kBefore}}, precondition_failed},
               {{{"If-Modified-Since", kAfter}, {"If-Match", "\"a\""}}, not_modified},
               {{{"Range", "bytes=0-1"}, {"If-Range", "\"x\""}, {"If-None-Match", "\"a\""}}, not_modified},
               {{{"Range", "bytes=0-1"}, {"If-Range", "\"x\""}, {"If-None-Match", "\"x\""}}, proceed_without_range}});
}

TEST(Conditions, Step5IfRangeNeedsTheSameStrongValidator) {
  const auto if_range = [](std::string_view value, Verdict verdict) {
    return Case{{{"Range", "bytes=0-1"}, {"If-Range", value}}, verdict};
  };
  expect_each(Method::get, kStrong,
              {if_range("\"a\"", proceed), if_range("\"x\"", proceed_without_range),
               if_range("W/\"a\"", proceed_without_range), if_range("\"a\", \"b\"", proceed_without_range),
               if_range("a", proceed_without_range), if_range("*", proceed_without_range),
               if_range("", proceed_without_range), if_range(kModified, proceed), if_range(kModifiedAsctime, proceed),
               if_range(kBefore, proceed_without_range), if_range(kAfter, proceed_without_range)});
  expect_each(Method::get, kWeak,
              {if_range("W/\"a\"", proceed_without_range), if_range("\"a\"", proceed_without_range)});
  expect_each(Method::get, kNoValidators,
              {if_range("\"a\"", proceed_without_range), if_range(kModified, proceed_without_range)});
  expect_each(Method::get, kStrong,
              {{{{"Range", "bytes=0-1"}, {"If-Range", "\"a\""}, {"If-Range", "\"a\""}}, proceed_without_range}});
}

TEST(Conditions, Step5ADateIsStrongWhenItsSecondIsOver) {
  const std::vector<Case> holds = {{{{"Range", "bytes=0-1"}, {"If-Range", kModified}}, proceed}};
  const std::vector<Case> fails = {{{{"Range", "bytes=0-1"}, {"If-Range", kModified}}, proceed_without_range}};
  const WallTime second = std::chrono::floor<std::chrono::seconds>(kModifiedTime);
  expect_each(Method::get, kStrong, fails, kModifiedTime);
  expect_each(Method::get, kStrong, fails, second + std::chrono::milliseconds(999));
  expect_each(Method::get, kStrong, holds, second + std::chrono::seconds(1));
  Representation changes_often = kStrong;
  changes_often.is_date_strong = false;
  expect_each(Method::get, changes_often, fails);
}

TEST(Conditions, Step5IfRangeIsForGetWithRangeAlone) {
  expect_each(Method::get, kStrong, {{{{"If-Range", "\"x\""}}, proceed}});
  for (const Method method : {Method::head, Method::put}) {
    expect_each(method, kStrong, {{{{"Range", "bytes=0-1"}, {"If-Range", "\"x\""}}, proceed}});
  }
}

}  // namespace
}  // namespace pipette::http
