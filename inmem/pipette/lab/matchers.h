// Matchers for GoogleMock: what a test expects of a response, a peer, a call that fails, or of the time it took.
//
//   EXPECT_THAT(lab.get("http://app/"), AllOf(HasStatus(200), HasHeader("ETag", StartsWith("\"v")), BodyIs("Hello")));
//   EXPECT_THAT(lab.run(client.get("http://app/")), IsError(Errc::timed_out));
//   EXPECT_THAT(peer, ClosedByPeer());      EXPECT_THAT(lab, TookVirtual(Lt(5s)));
//   EXPECT_THAT(lab.log(), MatchesGolden("tests/golden/upload.txt", Masks().field("Date")));
//
// HasStatus, HasHeader, HasNoHeader and BodyIs take a client::Response, a Result of one (a call that failed matches
// none of them, but does match what Not() makes of them), or anything whose member `response` is one of these; a member
// `request` is then shown too. A failure shows the response, and says what comes nearest to the expected.
//
//   Value of: lab.get("http://app/")
//   Expected: has the field "ETag", which is equal to "\"v2\""
//     Actual: HTTP/1.1 200 OK
//   ETags: "v2"
//   no body (of type pipette::client::Response), which has no field "ETag"; the nearest is ETags: "\"v2\""
//
// Includes how GoogleTest prints these types, and durations: include it wherever they are compared.
//
// Threads  that of the test.
#pragma once

#include <chrono>
#include <concepts>
#include <gmock/gmock.h>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "pipette/base/errc.h"
#include "pipette/base/result.h"
#include "pipette/base/time.h"
#include "pipette/client/response.h"
#include "pipette/inmem/event_log.h"
#include "pipette/inmem/text.h"
#include "pipette/lab/check.h"
#include "pipette/lab/golden.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/peer.h"

// ---- printing, by the names that GoogleTest looks for --------------------------------------------------------------

// NOLINTBEGIN(readability-identifier-naming)
namespace pipette::client {
inline void PrintTo(const Request& request, std::ostream* out) { *out << lab::describe(request); }
inline void PrintTo(const Response& response, std::ostream* out) { *out << lab::describe(response); }
inline void PrintTo(const Result<Response>& response, std::ostream* out) { *out << lab::describe(response); }
}  // namespace pipette::client

namespace pipette::inmem {
inline void PrintTo(const EventLog& log, std::ostream* out) { *out << "a log of " << counted(log.size(), "event"); }
}  // namespace pipette::inmem

namespace pipette::lab {
inline void PrintTo(const Verdict& verdict, std::ostream* out) { *out << verdict.why(); }
inline void PrintTo(const Lab&, std::ostream* out) { *out << "a lab"; }
inline void PrintTo(const Peer&, std::ostream* out) { *out << "a peer"; }
}  // namespace pipette::lab
// NOLINTEND(readability-identifier-naming)

namespace pipette::lab {

// ---- responses -----------------------------------------------------------------------------------------------------

namespace internal {

inline const Result<client::Response>& as_result(const Result<client::Response>& response) { return response; }
inline Result<client::Response> as_result(const client::Response& response) { return response; }
template <class T>
  requires requires(const T& call) { call.response; }
decltype(auto) as_result(const T& call) {
  return as_result(call.response);
}

// ", to GET http://app/" where the request is known.
template <class T>
std::string describe_request_of(const T& call) {
  if constexpr (requires { describe(call.request); }) return "\nto " + describe(call.request);
  return "";
}

// A matcher of responses. Rule: Verdict operator()(const Response&), and std::string expectation(bool negated).
template <class Rule>
class ResponseMatcher {
 public:
  using is_gtest_matcher = void;

  explicit ResponseMatcher(Rule rule) : rule_(std::move(rule)) {}

  template <class T>
  bool MatchAndExplain(const T& value, testing::MatchResultListener* listener) const {
    const Result<client::Response>& response = as_result(value);
    const Verdict verdict = response ? rule_(*response) : Verdict(false, "which is " + describe(response.error()));
    *listener << verdict.why() << describe_request_of(value);
    return static_cast<bool>(verdict);
  }
  void DescribeTo(std::ostream* out) const { *out << rule_.expectation(false); }
  void DescribeNegationTo(std::ostream* out) const { *out << rule_.expectation(true); }

 private:
  Rule rule_;
};

template <class T>
std::string description(const testing::Matcher<T>& matcher, bool negated) {
  std::ostringstream text;
  if (negated) {
    matcher.DescribeNegationTo(&text);
  } else {
    matcher.DescribeTo(&text);
  }
  return text.str();
}

// A text, which can be said to differ at this place, or a matcher of texts.
class TextMatcher {
 public:
  template <class M>
  explicit TextMatcher(const M& expected) : matcher_(testing::_) {
    if constexpr (std::convertible_to<const M&, std::string_view>) {
      text_ = std::string(std::string_view(expected));
      matcher_ = testing::Eq(*text_);
    } else {
      matcher_ = testing::SafeMatcherCast<std::string_view>(expected);
    }
  }

  // Null when any will do.
  const std::string* text() const { return text_ ? &*text_ : nullptr; }
  bool matches(std::string_view actual) const { return matcher_.Matches(actual); }
  std::string expectation(bool negated) const { return description(matcher_, negated); }
  // ", whose size is 3" and the like, when the matcher has something to say.
  std::string explain(std::string_view actual) const {
    testing::StringMatchResultListener listener;
    matcher_.MatchAndExplain(actual, &listener);
    return listener.str().empty() ? "" : ", " + listener.str();
  }

 private:
  std::optional<std::string> text_;
  testing::Matcher<std::string_view> matcher_;
};

struct StatusRule {
  testing::Matcher<int> status;

  Verdict operator()(const client::Response& response) const {
    return {status.Matches(response.status), has_status(response, 0).why()};
  }
  std::string expectation(bool negated) const { return "has a status that " + description(status, negated); }
};

struct FieldRule {
  std::string name;
  std::optional<TextMatcher> value;

  Verdict operator()(const client::Response& response) const {
    if (!value) return has_header(response, name);
    if (value->text() != nullptr) return has_header(response, name, *value->text());
    bool holds = false;
    std::string why;
    response.fields.for_each(name, [&](std::string_view actual) {
      holds = holds || value->matches(actual);
      why += (why.empty() ? "which has " : ", and ") + name + ": " + inmem::quote(actual) + value->explain(actual);
    });
    return why.empty() ? has_header(response, name) : Verdict(holds, why);
  }
  std::string expectation(bool negated) const {
    const std::string quoted = inmem::quote(name);
    if (!value) return (negated ? "has no field " : "has the field ") + quoted;
    return (negated ? "has no field " : "has the field ") + quoted + ", which " + value->expectation(false);
  }
};

struct NoFieldRule {
  std::string name;

  Verdict operator()(const client::Response& response) const { return has_no_header(response, name); }
  std::string expectation(bool negated) const {
    return (negated ? "has the field " : "has no field ") + inmem::quote(name);
  }
};

struct BodyRule {
  TextMatcher body;

  Verdict operator()(const client::Response& response) const {
    if (body.text() != nullptr) return has_body(response, *body.text());
    const std::string why = "whose body is " + inmem::quote(response.body, kShownBodyBytes);
    return {body.matches(response.body), why + body.explain(response.body)};
  }
  std::string expectation(bool negated) const { return "has a body that " + body.expectation(negated); }
};

}  // namespace internal

// A number, or a matcher of numbers: HasStatus(Ge(500)).
inline auto HasStatus(testing::Matcher<int> status) {
  return internal::ResponseMatcher(internal::StatusRule{std::move(status)});
}
// A field of that name, in any case, whatever its value.
inline auto HasHeader(std::string_view name) {
  return internal::ResponseMatcher(internal::FieldRule{std::string(name), std::nullopt});
}
// One of the fields of that name has this value: a text, or a matcher of texts.
template <class M>
auto HasHeader(std::string_view name, const M& value) {
  return internal::ResponseMatcher(internal::FieldRule{std::string(name), internal::TextMatcher(value)});
}
inline auto HasNoHeader(std::string_view name) {
  return internal::ResponseMatcher(internal::NoFieldRule{std::string(name)});
}
// A text, or a matcher of texts.
template <class M>
auto BodyIs(const M& body) {
  return internal::ResponseMatcher(internal::BodyRule{internal::TextMatcher(body)});
}

// ---- peers, errors, time -------------------------------------------------------------------------------------------

namespace internal {

// GoogleTest hands values on as const, while a peer reads what has come when it is asked, and a lab may settle.
template <class T>
T& asked(const T& value) {
  return const_cast<T&>(value);
}

class GoldenMatcher {
 public:
  using is_gtest_matcher = void;

  GoldenMatcher(std::string path, Masks masks, GoldenMode mode)
      : path_(std::move(path)), masks_(std::move(masks)), mode_(mode) {}

  bool MatchAndExplain(const inmem::EventLog& log, testing::MatchResultListener* listener) const {
    return explain(compare_with_golden(log, path_, masks_, mode_), listener);
  }
  bool MatchAndExplain(std::string_view text, testing::MatchResultListener* listener) const {
    return explain(compare_text_with_golden(text, path_, masks_, mode_), listener);
  }
  void DescribeTo(std::ostream* out) const { *out << "is what the golden file " << path_ << " tells"; }
  void DescribeNegationTo(std::ostream* out) const { *out << "is not what the golden file " << path_ << " tells"; }

 private:
  static bool explain(const std::string& complaint, testing::MatchResultListener* listener) {
    *listener << complaint;
    return complaint.empty();
  }

  std::string path_;
  Masks masks_;
  GoldenMode mode_;
};

inline std::string describe_peer(Peer& peer) {
  const bool was_reset = peer.was_reset();
  const std::string end = was_reset ? "was reset" : peer.closed() ? "was closed" : "is open";
  const std::string& received = peer.received();
  return "which " + end + " after " + std::to_string(received.size()) + " B " + inmem::quote(received);
}

}  // namespace internal

// The other side has finished sending or has reset the connection.
MATCHER(ClosedByPeer, negation ? "is still open" : "was closed by the other side") {
  Peer& peer = internal::asked(arg);
  *result_listener << internal::describe_peer(peer);
  return peer.closed();
}

// The other side has reset the connection.
MATCHER(WasReset, negation ? "was not reset" : "was reset by the other side") {
  Peer& peer = internal::asked(arg);
  *result_listener << internal::describe_peer(peer);
  return peer.was_reset();
}

// A Result that is this error, or a std::error_code: an Errc, a std::errc, or a std::error_code.
MATCHER_P(IsError, expected, (negation ? "is not " : "is ") + describe_error(make_error_code(expected))) {
  if constexpr (std::same_as<std::remove_cvref_t<decltype(arg)>, std::error_code>) {
    *result_listener << "which is " << describe_error(arg);
    return arg == expected;
  } else {
    *result_listener << (arg ? "which is no error" : "which is " + describe_error(arg.error()));
    return !arg && arg.error() == expected;
  }
}

// What is kept in a golden file (golden.h): a log, or a text.
inline auto MatchesGolden(std::string path, Masks masks = {}, GoldenMode mode = golden_mode()) {
  return internal::GoldenMatcher(std::move(path), std::move(masks), mode);
}

// The virtual time since a lab began, or a duration: TookVirtual(Lt(5s)).
MATCHER_P(TookVirtual, expected,
          "took a virtual time that " + internal::description(testing::SafeMatcherCast<Duration>(expected), negation)) {
  Duration took{};
  if constexpr (std::convertible_to<decltype(arg), Duration>) {
    took = arg;
  } else {
    took = internal::asked(arg).elapsed();
  }
  *result_listener << "which took " << inmem::exact_text(took);
  return testing::SafeMatcherCast<Duration>(expected).Matches(took);
}

}  // namespace pipette::lab
