#include "pipette/lab/check.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "pipette/base/ascii.h"
#include "pipette/http/status.h"
#include "pipette/inmem/text.h"
#include "pipette/lab/internal/errc_name.h"

namespace pipette::lab {
namespace {

using inmem::quote;

constexpr std::size_t kShownAfterDifference = 24;
constexpr std::size_t kShownNearestFields = 3;
constexpr std::size_t kMaxComparedName = 64;  // longer names are nobody's near miss

std::string describe_fields(const http::OwnedFields& fields) {
  std::string text;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    text.append("\n").append(fields[i].name).append(": ").append(fields[i].value);
  }
  return text;
}

std::string describe_body(std::string_view body) {
  if (body.empty()) return "\nno body";
  return "\nbody of " + inmem::counted(body.size(), "octet") + ": " + quote(body, kShownBodyBytes);
}

std::string describe_field(std::string_view name, std::string_view value) {
  return std::string(name) + ": " + quote(value);
}

// How many letters must be put in, taken out or exchanged to make one of the other (Levenshtein), in any case.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool is_same = ascii::to_lower(a[i - 1]) == ascii::to_lower(b[j - 1]);
      const std::size_t exchanged = diagonal + (is_same ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({exchanged, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && ascii::equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

// How far a name is from the one that was asked for; nothing when they have nothing to do with each other.
std::optional<std::size_t> nearness(std::string_view asked, std::string_view name) {
  if (asked.empty() || std::max(asked.size(), name.size()) > kMaxComparedName) return std::nullopt;
  const std::size_t away = distance(asked, name);
  const bool is_near = away <= std::max<std::size_t>(2, asked.size() / 3) && away < asked.size();
  if (is_near || begins_with(name, asked) || begins_with(asked, name)) return away;
  return std::nullopt;
}

// Indices of the fields whose names are nearest, the nearest first and then in their order.
std::vector<std::size_t> nearest_fields(const http::OwnedFields& fields, std::string_view name) {
  std::vector<std::pair<std::size_t, std::size_t>> found;  // how far, and which
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (const auto away = nearness(name, fields[i].name)) found.emplace_back(*away, i);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::size_t> nearest;
  for (const auto& [away, index] : found) {
    if (nearest.size() < kShownNearestFields) nearest.push_back(index);
  }
  return nearest;
}

Verdict no_response(const Result<client::Response>& response) { return {false, describe(response)}; }

}  // namespace

// ---- verdicts ------------------------------------------------------------------------------------------------------

Verdict has_status(const client::Response& response, int status) {
  return {response.status == status, "whose status is " + describe_status(response.status)};
}

Verdict has_header(const client::Response& response, std::string_view name) {
  const std::optional<std::string_view> value = response.header(name);
  if (!value) return {false, explain_absence(response, name)};
  return {true, "which has " + describe_field(name, *value)};
}

Verdict has_header(const client::Response& response, std::string_view name, std::string_view value) {
  bool holds = false;
  std::string why;
  response.fields.for_each(name, [&](std::string_view actual) {
    holds = holds || actual == value;
    why += (why.empty() ? "which has " : ", and ") + describe_field(name, actual);
    if (actual != value) why += ", " + explain_difference(actual, value);
  });
  if (why.empty()) return {false, explain_absence(response, name)};
  return {holds, holds ? "which has " + describe_field(name, value) : why};
}

Verdict has_no_header(const client::Response& response, std::string_view name) {
  const Verdict has = has_header(response, name);
  return {!has, has ? has.why() : "which has no field " + quote(name)};
}

Verdict has_body(const client::Response& response, std::string_view body) {
  if (response.body == body) return {true, "whose body is " + quote(body)};
  std::string why = "whose body is of " + inmem::counted(response.body.size(), "octet");
  if (response.body.size() != body.size()) why += " instead of " + std::to_string(body.size());
  return {false, why + ", " + explain_difference(response.body, body)};
}

Verdict has_status(const Result<client::Response>& response, int status) {
  return response ? has_status(*response, status) : no_response(response);
}
Verdict has_header(const Result<client::Response>& response, std::string_view name) {
  return response ? has_header(*response, name) : no_response(response);
}
Verdict has_header(const Result<client::Response>& response, std::string_view name, std::string_view value) {
  return response ? has_header(*response, name, value) : no_response(response);
}
Verdict has_no_header(const Result<client::Response>& response, std::string_view name) {
  return response ? has_no_header(*response, name) : no_response(response);
}
Verdict has_body(const Result<client::Response>& response, std::string_view body) {
  return response ? has_body(*response, body) : no_response(response);
}

// ---- words ---------------------------------------------------------------------------------------------------------

std::string describe(const client::Request& request) {
  std::string text(http::to_string(request.method));
  text.append(" ").append(request.url).append(describe_fields(request.fields));
  if (!request.body.empty()) text += describe_body(request.body);
  return text;
}

std::string describe(const client::Response& response) {
  std::string text = "HTTP/1.1 " + std::to_string(response.status);
  if (!response.reason.empty()) text += " " + response.reason;
  return text + describe_fields(response.fields) + describe_body(response.body);
}

std::string describe(const std::error_code& error) { return "no response: " + error.message(); }

std::string describe(const Result<client::Response>& response) {
  return response ? describe(*response) : describe(response.error());
}

std::string describe_error(const std::error_code& error) {
  const bool is_errc = error.category() == errc_category();
  std::string text = is_errc ? "Errc::" + std::string(internal::errc_name(static_cast<Errc>(error.value())))
                             : error.category().name() + (" " + std::to_string(error.value()));
  return text.append(" (").append(error.message()).append(")");
}

std::string describe_status(int status) {
  return std::to_string(status) + " " + std::string(http::reason_phrase(status));
}

std::string explain_absence(const client::Response& response, std::string_view name) {
  std::string text = "which has no field " + quote(name);
  const std::vector<std::size_t> nearest = nearest_fields(response.fields, name);
  if (!nearest.empty()) {
    text += nearest.size() == 1 ? "; the nearest is " : "; the nearest are ";
    for (std::size_t i = 0; i < nearest.size(); ++i) {
      const http::Field field = response.fields[nearest[i]];
      text += (i == 0 ? "" : ", ") + describe_field(field.name, field.value);
    }
    return text;
  }
  if (response.fields.empty()) return text + ", and no other";
  text += "; there are ";
  for (std::size_t i = 0; i < response.fields.size(); ++i) {
    text.append(i == 0 ? "" : ", ").append(response.fields[i].name);
  }
  return text;
}

std::string explain_difference(std::string_view actual, std::string_view expected) {
  const auto ends = std::mismatch(actual.begin(), actual.end(), expected.begin(), expected.end());
  const auto at = static_cast<std::size_t>(ends.first - actual.begin());
  if (at == actual.size() && at == expected.size()) return "no difference";
  const auto rest = [at](std::string_view text) {
    return at == text.size() ? std::string("the end") : quote(text.substr(at), kShownAfterDifference);
  };
  return "the first difference at octet " + std::to_string(at) + ": " + rest(actual) + " instead of " + rest(expected);
}

}  // namespace pipette::lab
