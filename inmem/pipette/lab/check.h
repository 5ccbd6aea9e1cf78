// Verdict: whether a response is as expected, and in any case what there is to say about it.
//
//   CHECK(has_status(response, 200));                    // Catch2, doctest: a bool that explains itself
//   EXPECT_THAT(response, HasStatus(200));               // GoogleTest: lab/matchers.h, in the same words
//
//   has_header(response, "ETag", "\"v2\"")  -->  no:  which has ETag: "\"v1\"", the first difference at octet 2:
//                                                     "1\"" instead of "2\""
//
// A field that is missing is explained by the nearest ones that are there. The words say nothing that differs from run
// to run, and all of them are tested.
//
// Bounds    at most kShownBodyBytes of a body are shown, and 96 octets of a value.
// Lifetime  a Verdict owns its text.   Threads  pure functions, any thread.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/base/result.h"
#include "pipette/client/request.h"
#include "pipette/client/response.h"

namespace pipette::lab {

inline constexpr std::size_t kShownBodyBytes = 256;

class [[nodiscard]] Verdict {
 public:
  Verdict(bool holds, std::string why) : holds_(holds), why_(std::move(why)) {}

  explicit operator bool() const { return holds_; }
  // What is the case, either way: "whose status is 404 Not Found".
  const std::string& why() const { return why_; }

 private:
  bool holds_;
  std::string why_;
};

inline std::ostream& operator<<(std::ostream& out, const Verdict& verdict) { return out << verdict.why(); }

Verdict has_status(const client::Response& response, int status);
// Whether there is such a field, with whatever value.
Verdict has_header(const client::Response& response, std::string_view name);
// Whether one of the fields of that name has this value.
Verdict has_header(const client::Response& response, std::string_view name, std::string_view value);
Verdict has_no_header(const client::Response& response, std::string_view name);
Verdict has_body(const client::Response& response, std::string_view body);

// The same of a call; one that failed has nothing.
Verdict has_status(const Result<client::Response>& response, int status);
Verdict has_header(const Result<client::Response>& response, std::string_view name);
Verdict has_header(const Result<client::Response>& response, std::string_view name, std::string_view value);
Verdict has_no_header(const Result<client::Response>& response, std::string_view name);
Verdict has_body(const Result<client::Response>& response, std::string_view body);

// ---- the words they are made of

// "GET http://app/", then a line for each field; and the body's first octets, when there are any.
std::string describe(const client::Request& request);
// "HTTP/1.1 404 Not Found", a line for each field, and the body's first octets.
std::string describe(const client::Response& response);
// "no response: the operation timed out".
std::string describe(const std::error_code& error);
std::string describe(const Result<client::Response>& response);

// "Errc::timed_out (deadline expired)"; of another category, "generic 110 (Connection timed out)".
std::string describe_error(const std::error_code& error);
// "404 Not Found".
std::string describe_status(int status);
// "which has no field "etag"; the nearest is ETags: "x"", or else the names of those that are there.
std::string explain_absence(const client::Response& response, std::string_view name);
// "the first difference at octet 4: "rld" instead of "lds"".
std::string explain_difference(std::string_view actual, std::string_view expected);

}  // namespace pipette::lab
