// One pass over each complete line. Where the pass meets the end of what has arrived, the line is incomplete:
// it is parsed again when its end is there, which a search from where the last one stopped finds. Errors
// inside a line are reported only once its end is known to lie within its limit, so that the result does not
// depend on how the octets were cut.
//
// Each pass comes twice. A fast one takes what nearly everybody sends, from octets that are already there, and leaves
// everything else to a careful one, which knows every rule. The fast one accepts nothing that the careful one would
// refuse, and means the same by what it accepts.

#include "pipette/http/head_parser.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/http/internal/intern.h"
#include "pipette/http/internal/scan.h"

namespace pipette::http {
namespace {

using internal::kLineEnd;
using internal::load_half;
using internal::load_word;
using internal::skip_target;
using internal::skip_token;
using internal::skip_value;
using internal::word_of;

constexpr std::size_t kVersionBytes = 8;  // HTTP/1.1
constexpr std::uint64_t kVersion11 = word_of("HTTP/1.1");
constexpr std::size_t kMaxRememberedBytes = 2048;
constexpr std::size_t kNoLineEnd = static_cast<std::size_t>(-1);

// Where the LF is that ends the line at `line`, searched from `scanned` on; kNoLineEnd when it is not there yet.
std::size_t find_line_end(Bytes input, std::size_t line, std::size_t& scanned) {
  const std::size_t from = std::max(line, scanned);
  const void* lf = from < input.size() ? std::memchr(input.data() + from, '\n', input.size() - from) : nullptr;
  if (lf != nullptr) return static_cast<std::size_t>(static_cast<const char*>(lf) - input.data());
  scanned = input.size();
  return kNoLineEnd;
}

// What is to be said of the line at `line`, in which something is wrong (`error`) or whose end has not arrived: the
// error, another one when the line is too long, or nothing while it may still turn out to be.
std::optional<Errc> judge(Bytes input, std::size_t line, std::size_t& scanned, std::size_t max_line, Errc too_long,
                          Errc error) {
  scanned = std::max(scanned, line);
  const std::size_t end = find_line_end(input, line, scanned);
  if (end == kNoLineEnd) return input.size() - line > max_line ? std::optional(too_long) : std::nullopt;
  return end - line >= max_line ? too_long : error;
}

// Where the last field begins; a folded line is part of it.
std::size_t begin_of_last(const Fields& fields, Bytes input) {
  return static_cast<std::size_t>(fields[fields.size() - 1].name.data() - input.data());
}

std::string_view trim_end(std::string_view text) {
  while (!text.empty() && ascii::is_space_or_tab(text.back())) text.remove_suffix(1);
  return text;
}

// Brackets have their place around an IPv6 host, and nowhere else (RFC 3986 §3.2.2).
bool has_bracket(std::string_view path_and_query) {
  return path_and_query.find_first_of("[]") != std::string_view::npos;
}

// Splits "scheme://authority/path?query"; false when `target` has none of the shapes of an http URI.
bool split_absolute(std::string_view target, RequestHead& head) {
  std::string_view rest;
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (target.size() > scheme.size() && ascii::equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      rest = target.substr(scheme.size());
    }
  }
  const std::size_t authority_size = std::min(rest.find_first_of("/?"), rest.size());
  head.authority = rest.substr(0, authority_size);
  rest.remove_prefix(authority_size);
  const std::size_t question = rest.find('?');
  head.path = rest.substr(0, question);
  if (head.path.empty()) head.path = "/";
  head.query = question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  return is_host(head.authority) && !has_bracket(rest);  // without userinfo: RFC 9110 §4.2.4
}

// RFC 9110 §9.3.6: to CONNECT the port is not optional, and 0 is none.
bool has_port(std::string_view host_and_port) {
  const std::size_t colon = host_and_port.rfind(':');
  if (!is_host(host_and_port) || colon == std::string_view::npos) return false;
  const std::optional<std::uint64_t> port = ascii::parse_decimal(host_and_port.substr(colon + 1));
  return port && *port != 0;
}

// RFC 9112 §3.2: which of the four forms the target has.
bool split_target(RequestHead& head) {
  const std::string_view target = head.target;
  if (head.method == Method::connect) {
    head.form = TargetForm::authority;
    head.authority = target;
    head.path = head.query = {};
    return has_port(target);
  }
  if (target.front() == '/') {
    const std::size_t question = target.find('?');
    head.form = TargetForm::origin;
    head.authority = {};
    head.path = target.substr(0, question);
    head.query = question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
    return !has_bracket(target);
  }
  if (target == "*") {
    head.form = TargetForm::asterisk;
    head.path = target;
    head.authority = head.query = {};
    return head.method == Method::options;
  }
  head.form = TargetForm::absolute;
  return split_absolute(target, head);
}

// RFC 9112 §3.2: exactly one Host in HTTP/1.1, never two, and always a valid one; an absolute target's
// authority takes its place.
Result<void> check_host(const RequestHead& head) {
  const auto host = head.fields.get(FieldName::host);
  if (!host) {
    if (!head.is_http_1_0) return fail(Errc::missing_host);
    return {};
  }
  if (head.fields.is_repeated(FieldName::host)) return fail(Errc::repeated_host);
  if (!is_host(*host)) return fail(Errc::bad_host);
  return {};
}

// "HTTP/1.1" at `at`; sets `is_http_1_0`.
Result<void> parse_version(std::string_view text, bool& is_http_1_0) {
  if (!text.starts_with("HTTP/") || !ascii::is_digit(text[5]) || text[6] != '.' || !ascii::is_digit(text[7])) {
    return fail(Errc::bad_version);
  }
  if (text[5] != '1') return fail(Errc::unsupported_version);
  is_http_1_0 = text[7] == '0';
  return {};
}

}  // namespace

HeadLimits HeadLimits::within_reach() const {
  HeadLimits limits = *this;
  limits.max_fields = std::min(limits.max_fields, kMaxFields);
  limits.max_head_bytes = std::min<std::size_t>(limits.max_head_bytes, UINT32_MAX);
  return limits;
}

// ---- field lines -----------------------------------------------------------------------------------------

// The fast pass, from the line that has not been looked at yet; false when it takes none.
bool FieldSectionParser::take_plain_lines(Bytes input, Fields& fields) {
  const std::size_t size = std::min(input.size(), limits_.max_head_bytes);
  if (line_ >= size) return false;  // also when the start line alone has filled the head
  const char* const begin = input.data();
  const char* const line = begin + line_;
  Fields::Table table = open(fields);
  const char* const next = scans_->take_lines(begin, line, begin + size, plain_limits_, table);
  fields.close(table);
  line_ = static_cast<std::size_t>(next - begin);
  return next != line;
}

void FieldSectionParser::reset(std::size_t at) {
  begin_ = line_ = scanned_ = at;
  is_begun_ = is_repeated_ = has_folds_ = false;
}

Result<std::size_t> FieldSectionParser::parse(Bytes input, Fields& fields) {
  if (!is_begun_) {
    is_repeated_ = repeats_last(input, fields);
    if (is_repeated_) return begin_ + last_.size();
    fields.clear();
    is_begun_ = true;
  }
  fields.rebase(input.data());
  if (is_waiting(input)) return 0;
  if (scanned_ > line_ && find_line_end(input, line_, scanned_) == kNoLineEnd) {
    const Result<bool> waits = wait_or_fail(input, fields, Errc::bad_line_end);
    if (!waits) return fail(waits.error());
    return 0;
  }
  for (;;) {
    if (line_ + 2 <= limits_.max_head_bytes && line_ + 2 <= input.size() &&
        load_half(input.data() + line_) == kLineEnd) {
      line_ += 2;
      if (changes_ != kMaxChanges || remembers()) remember({input.data() + begin_, line_ - begin_}, fields);
      return line_;
    }
    if (scanned_ <= line_ && take_plain_lines(input, fields)) continue;
    const Result<bool> taken = take_line(input, fields);
    if (!taken) return fail(taken.error());
    if (!*taken) return 0;
  }
}

// Who keeps a connection mostly sends the same fields again. Equal octets have equal meaning, so when they are the
// last section's, its entries are taken over.
inline bool FieldSectionParser::repeats_last(Bytes input, Fields& fields) {
  const std::size_t size = last_.size();
  if (size == 0 || last_fields_ != &fields || fields.revision() != last_revision_) return false;
  if (input.size() - begin_ < size || begin_ + size > limits_.max_head_bytes) return false;
  if (std::memcmp(input.data() + begin_, last_.data(), size) != 0) return false;
  // The entries' offsets count from where the head of the last section began.
  fields.rebase(input.data() + begin_ - last_begin_);
  return true;
}

// Of a section that was parsed, perhaps because it came in pieces. Stops trying on a connection whose fields change.
void FieldSectionParser::remember(Bytes section, const Fields& fields) {
  if (section != last_) {
    last_.clear();
    if (changes_ == kMaxChanges) return;
    ++changes_;
    if (section.size() > kMaxRememberedBytes || has_folds_) return;
    last_ = section;
  }
  last_begin_ = begin_;
  last_fields_ = &fields;
  last_revision_ = fields.revision();
}

void FieldSectionParser::forget() {
  last_.clear();
  changes_ = 0;
}

// For a line in which something is wrong, or whose end has not arrived.
Result<bool> FieldSectionParser::wait_or_fail(Bytes input, const Fields& fields, Errc error) {
  const bool is_fold =
      line_ < input.size() && ascii::is_space_or_tab(input[line_]) && !fields.empty() && folding_ == Folding::accept;
  const std::size_t field = is_fold ? begin_of_last(fields, input) : line_;
  const std::size_t room = limits_.max_head_bytes - std::min(limits_.max_head_bytes, line_);
  const std::size_t field_room = limits_.max_field_bytes - std::min(limits_.max_field_bytes, line_ - field);
  const Errc too_long = room < field_room ? Errc::head_too_large : Errc::field_too_large;
  line_room_ = std::min(room, field_room);
  const std::optional<Errc> verdict = judge(input, line_, scanned_, line_room_, too_long, error);
  if (verdict) return fail(*verdict);
  return false;
}

// Takes one field line by every rule; false when its end has not arrived.
Result<bool> FieldSectionParser::take_line(Bytes input, Fields& fields) {
  const char* const begin = input.data();
  const char* const end = begin + input.size();
  const char* const line = begin + line_;
  if (line == end) return wait_or_fail(input, fields, Errc::bad_line_end);
  if (*line == '\r' || *line == '\n') {
    // The empty line that ends the section is not here, so it is a lone CR or LF, or there is no room for it.
    return wait_or_fail(input, fields, input.substr(line_, 2) == "\r\n" ? Errc::head_too_large : Errc::bad_line_end);
  }
  if (ascii::is_space_or_tab(*line) && !fields.empty()) return take_fold(input, fields);
  const char* const colon = skip_token(line, end);
  if (colon == end || *colon != ':' || colon == line) return wait_or_fail(input, fields, Errc::bad_field_name);

  const char* value = colon + 1;
  while (value != end && ascii::is_space_or_tab(*value)) ++value;
  const char* const stop = skip_value(value, end);
  if (end - stop < 2 || load_half(stop) != kLineEnd) {
    const bool is_line_end = stop == end || *stop == '\r' || *stop == '\n';
    return wait_or_fail(input, fields, is_line_end ? Errc::bad_line_end : Errc::bad_field_value);
  }
  const auto line_size = static_cast<std::size_t>(stop + 2 - line);
  const auto name_size = static_cast<std::size_t>(colon - line);
  if (line_size > limits_.max_head_bytes - std::min(limits_.max_head_bytes, line_) ||
      line_size > limits_.max_field_bytes || name_size > UINT16_MAX) {
    const std::size_t room = limits_.max_head_bytes - std::min(limits_.max_head_bytes, line_);
    return fail(room < limits_.max_field_bytes ? Errc::head_too_large : Errc::field_too_large);
  }
  if (fields.size() == limits_.max_fields) return fail(Errc::too_many_fields);

  const std::string_view text = trim_end({value, static_cast<std::size_t>(stop - value)});
  fields.append(intern({line, name_size}), line_, name_size, static_cast<std::size_t>(value - begin), text.size());
  line_ += line_size;
  scanned_ = line_;
  return true;
}

// Takes a line that continues the last field. Its octets join the value as they are, for unfold().
Result<bool> FieldSectionParser::take_fold(Bytes input, Fields& fields) {
  if (folding_ == Folding::refuse) return wait_or_fail(input, fields, Errc::obsolete_line_folding);
  const char* const end = input.data() + input.size();
  const char* const line = input.data() + line_;
  const char* const stop = skip_value(line, end);
  if (end - stop < 2 || load_half(stop) != kLineEnd) {
    const bool is_line_end = stop == end || *stop == '\r' || *stop == '\n';
    return wait_or_fail(input, fields, is_line_end ? Errc::bad_line_end : Errc::bad_field_value);
  }
  const std::size_t next = static_cast<std::size_t>(stop + 2 - input.data());
  if (next > limits_.max_head_bytes || next - begin_of_last(fields, input) > limits_.max_field_bytes) {
    return wait_or_fail(input, fields, Errc::field_too_large);
  }
  const std::string_view text = trim_end({line, static_cast<std::size_t>(stop - line)});
  if (!text.empty()) {
    const std::size_t last = fields.size() - 1;
    fields.resize_value(last, static_cast<std::size_t>(text.data() + text.size() - fields[last].value.data()));
    has_folds_ = true;
  }
  line_ = scanned_ = next;
  return true;
}

void unfold(MutableBytes section, Fields& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string_view value = fields[i].value;
    char* const begin = section.data() + (value.data() - section.data());
    char* out = begin;
    for (std::size_t at = 0; at < value.size();) {
      if (value[at] != '\r') {
        *out++ = value[at++];
        continue;
      }
      while (out != begin && ascii::is_space_or_tab(out[-1])) --out;
      at = std::min(value.find_first_not_of("\r\n \t", at), value.size());
      if (out != begin) *out++ = ' ';
    }
    fields.resize_value(i, static_cast<std::size_t>(out - begin));
  }
}

// ---- requests --------------------------------------------------------------------------------------------

void RequestParser::reset() {
  in_fields_ = false;
  line_ = scanned_ = 0;
}

Result<std::size_t> RequestParser::parse(Bytes input, RequestHead& head) {
  if (!in_fields_ && line_ == 0 && scanned_ == 0) {
    if (const std::size_t size = take_plain(input, head); size != 0) return size;
  }
  return parse_on(input, head);
}

// The fast pass, over octets that nothing has been seen of yet: takes the request line, and the lines behind it unless
// they may be the last ones again. The size of the head, when that was all there is to it; else 0, and parse_on() goes
// on from there. A head with others behind it is one that parse_on() should remember.
inline std::size_t RequestParser::take_plain(Bytes input, RequestHead& head) {
  const char* const begin = input.data();
  const char* const end = begin + std::min(input.size(), limits_.max_head_bytes);
  if (section_.remembers()) {
    take_plain_line(begin, end, head);
    return 0;
  }
  head.fields.clear();
  Fields::Table table = section_.open(head.fields);
  const internal::Taken taken = scans_->take_request(begin, end, plain_limits_, head, table);
  is_plain_ = taken.line_size != 0;
  if (!is_plain_) return 0;
  head.fields.close(table);
  head.fields.rebase(begin);
  const bool is_whole = end - taken.next >= 2 && load_half(taken.next) == kLineEnd;
  const bool is_worth_remembering = end - taken.next > 2 && !section_.has_stopped_remembering();
  if (is_whole && !is_worth_remembering && has_plain_host(head)) {
    return static_cast<std::size_t>(taken.next + 2 - begin);
  }
  section_.resume(taken.line_size, static_cast<std::size_t>(taken.next - begin));
  return 0;
}

void RequestParser::take_plain_line(const char* begin, const char* end, RequestHead& head) {
  const std::size_t line_size = scans_->take_request_line(begin, end, plain_limits_, head);
  is_plain_ = line_size != 0;
  if (!is_plain_) return;
  head.authority = {};
  section_.reset(line_size);
}

// The fast pass has looked at the value of the one Host field, and it is the authority.
bool RequestParser::has_plain_host(const RequestHead& head) {
  return !head.authority.empty() && !head.fields.is_repeated(FieldName::host);
}

Result<std::size_t> RequestParser::parse_on(Bytes input, RequestHead& head) {
  if (in_fields_) {
    if (section_.is_waiting(input)) return 0;
  } else if (!is_plain_) {
    const Result<std::size_t> line_end = parse_request_line(input, head);
    if (!line_end || *line_end == 0) return line_end;
    section_.reset(*line_end);
  }
  in_fields_ = true;
  const Result<std::size_t> size = section_.parse(input, head.fields);
  if (!size || *size == 0) return size;
  return finish(input, head, *size);
}

// What the fields and the target mean together.
inline Result<std::size_t> RequestParser::finish(Bytes input, RequestHead& head, std::size_t size) {
  if (is_plain_) {
    if (head.method_text.data() != input.data()) move_plain_line(input, head);
  } else {
    head.method_text = {input.data() + line_, method_size_};
    head.target = {input.data() + line_ + method_size_ + 1, target_size_};
    if (!split_target(head)) return fail(Errc::bad_target);
  }
  const HostRule rule = head.is_http_1_0 ? HostRule::http_1_0 : HostRule::http_1_1;
  if (!section_.is_repeated() || rule != host_passed_) {
    if (!is_plain_ || !has_plain_host(head)) {
      host_passed_ = HostRule::none;
      if (const Result<void> host = check_host(head); !host) return fail(host.error());
    }
    host_passed_ = rule;
  }
  if (head.form == TargetForm::origin || head.form == TargetForm::asterisk) {
    head.authority = head.fields.get(FieldName::host).value_or(std::string_view());
  }
  return size;
}

// The octets of a line that take_plain() has taken may have moved. The authority follows from the fields.
void RequestParser::move_plain_line(Bytes input, RequestHead& head) {
  const char* const target = input.data() + head.method_text.size() + 1;
  head.method_text = {input.data(), head.method_text.size()};
  head.target = {target, head.target.size()};
  head.path = {target, head.path.size()};
  if (!head.query.empty()) head.query = {target + head.path.size() + 1, head.query.size()};
}

// method SP request-target SP HTTP-version CRLF, RFC 9112 §3, after any number of empty lines.
Result<std::size_t> RequestParser::parse_request_line(Bytes input, RequestHead& head) {
  const char* const begin = input.data();
  const char* const end = begin + input.size();
  while (line_ + 1 < input.size() && begin[line_] == '\r' && begin[line_ + 1] == '\n') {
    line_ += 2;
    if (line_ > limits_.max_head_bytes) return fail(Errc::head_too_large);
  }
  const std::size_t longest_parts = kMaxMethodBytes + 1 + limits_.max_target_bytes + 1 + kVersionBytes + 2;
  const std::size_t longest = std::min(longest_parts, limits_.max_start_line_bytes);
  const std::size_t room = limits_.max_head_bytes - std::min(limits_.max_head_bytes, line_);
  const auto wait_or_fail = [&](Errc error) -> Result<std::size_t> {
    const bool has_method = input.substr(line_, kMaxMethodBytes + 1).contains(' ');
    const Errc too_long = room < longest            ? Errc::head_too_large
                          : longest < longest_parts ? Errc::start_line_too_long
                          : has_method              ? Errc::target_too_long
                                                    : Errc::bad_method;
    const std::optional<Errc> verdict = judge(input, line_, scanned_, std::min(room, longest), too_long, error);
    if (verdict) return fail(*verdict);
    return 0;
  };
  if (scanned_ > line_ && find_line_end(input, line_, scanned_) == kNoLineEnd) return wait_or_fail(Errc::bad_line_end);

  const char* const line = begin + line_;
  const char* const method_end = skip_token(line, end);
  if (method_end == end || *method_end != ' ' || method_end == line) {
    const bool is_line_end = method_end != end && (*method_end == '\r' || *method_end == '\n') && method_end == line;
    return wait_or_fail(is_line_end ? Errc::bad_line_end : Errc::bad_method);
  }
  const char* const target = method_end + 1;
  const char* const target_end = skip_target(target, end);
  if (target_end == end || *target_end != ' ' || target_end == target) return wait_or_fail(Errc::bad_target);
  const char* const version = target_end + 1;
  const auto left = static_cast<std::size_t>(end - version);
  if (left < kVersionBytes + 1) return wait_or_fail(Errc::bad_version);
  bool is_http_1_0 = false;
  const Result<void> parsed = parse_version({version, kVersionBytes}, is_http_1_0);
  if (!parsed) return wait_or_fail(errc_of(parsed.error()));
  if (left < kVersionBytes + 2 || version[kVersionBytes] != '\r' || version[kVersionBytes + 1] != '\n') {
    const char after = version[kVersionBytes];
    return wait_or_fail(after == '\r' || after == '\n' ? Errc::bad_line_end : Errc::bad_version);
  }

  method_size_ = static_cast<std::size_t>(method_end - line);
  target_size_ = static_cast<std::size_t>(target_end - target);
  const auto line_end = static_cast<std::size_t>(version + kVersionBytes + 2 - begin);
  if (line_end - line_ > room && room < longest) return fail(Errc::head_too_large);
  if (line_end - line_ > limits_.max_start_line_bytes) return fail(Errc::start_line_too_long);
  if (method_size_ > kMaxMethodBytes) return fail(Errc::bad_method);
  if (target_size_ > limits_.max_target_bytes) return fail(Errc::target_too_long);
  if (!has_valid_percents({target, target_size_})) return fail(Errc::bad_target);
  head.method = method_of({line, method_size_});
  head.is_http_1_0 = is_http_1_0;
  return line_end;
}

// ---- responses -------------------------------------------------------------------------------------------

void ResponseParser::reset() {
  section_.reset();
  in_fields_ = false;
  scanned_ = 0;
}

Result<std::size_t> ResponseParser::parse(MutableBytes input, ResponseHead& head) {
  const Bytes octets(input.data(), input.size());
  if (!in_fields_) {
    if (!take_plain_status_line(octets, head)) {
      const Result<std::size_t> line_end = parse_status_line(octets, head);
      if (!line_end || *line_end == 0) return line_end;
      section_.reset(*line_end);
    }
    in_fields_ = true;
  }
  const Result<std::size_t> size = section_.parse(octets, head.fields);
  if (!size || *size == 0) return size;
  if (section_.has_folds()) unfold(input, head.fields);
  head.reason = octets.substr(reason_at_, reason_size_);
  return size;
}

// The fast path: a whole HTTP/1.1 line with a short reason.
bool ResponseParser::take_plain_status_line(Bytes input, ResponseHead& head) {
  constexpr std::size_t kReasonAt = kVersionBytes + 5;
  constexpr std::size_t kMaxReason = 32;
  if (scanned_ != 0 || input.size() < kReasonAt + kMaxReason + 2) return false;
  const char* const begin = input.data();
  if (load_word(begin) != kVersion11 || begin[8] != ' ' || begin[12] != ' ') return false;
  if (begin[9] < '1' || begin[9] > '9' || !ascii::is_digit(begin[10]) || !ascii::is_digit(begin[11])) return false;
  const char* stop = begin + kReasonAt;
  while (ascii::is_value_char(*stop) && stop != begin + kReasonAt + kMaxReason) ++stop;
  const auto line_size = static_cast<std::size_t>(stop + 2 - begin);
  if (load_half(stop) != kLineEnd || line_size > limits_.max_start_line_bytes) return false;
  head.status = (begin[9] - '0') * 100 + (begin[10] - '0') * 10 + (begin[11] - '0');
  head.is_http_1_0 = false;
  reason_at_ = kReasonAt;
  reason_size_ = line_size - 2 - kReasonAt;
  section_.reset(line_size);
  return true;
}

// HTTP-version SP status-code SP [ reason-phrase ] CRLF, RFC 9112 §4; the second space may be missing with the reason.
Result<std::size_t> ResponseParser::parse_status_line(Bytes input, ResponseHead& head) {
  constexpr std::size_t kLongest = kVersionBytes + 5 + kMaxReasonBytes + 2;
  const std::size_t longest = std::min(kLongest, limits_.max_start_line_bytes);
  const Errc too_long = longest < kLongest ? Errc::start_line_too_long : Errc::bad_status;
  const auto wait_or_fail = [&](Errc error) -> Result<std::size_t> {
    const std::size_t line_end = input.find('\n');
    const bool is_whole = line_end == kNoLineEnd || line_end >= kVersionBytes + 5;
    const std::optional<Errc> verdict =
        judge(input, 0, scanned_, longest, too_long, is_whole ? error : Errc::bad_status);
    if (verdict) return fail(*verdict);
    return 0;
  };
  if (scanned_ > 0 && find_line_end(input, 0, scanned_) == kNoLineEnd) return wait_or_fail(Errc::bad_status);

  if (input.size() < kVersionBytes + 6) return wait_or_fail(Errc::bad_status);
  bool is_http_1_0 = false;
  const Result<void> parsed = parse_version(input.substr(0, kVersionBytes), is_http_1_0);
  if (!parsed) return wait_or_fail(errc_of(parsed.error()));
  const std::string_view code = input.substr(kVersionBytes, 4);
  if (code[0] != ' ' || code[1] < '1' || code[1] > '9' || !ascii::is_digit(code[2]) || !ascii::is_digit(code[3])) {
    return wait_or_fail(Errc::bad_status);
  }
  const char* const end = input.data() + input.size();
  const char* reason = input.data() + kVersionBytes + 4;
  if (*reason == ' ') {
    ++reason;
  } else if (*reason != '\r') {
    return wait_or_fail(Errc::bad_status);
  }
  const char* const stop = skip_value(reason, end);
  if (stop == end || stop + 1 == end || *stop != '\r' || stop[1] != '\n') {
    return wait_or_fail(stop != end && (*stop == '\r' || *stop == '\n') ? Errc::bad_line_end : Errc::bad_status);
  }
  head.status = (code[1] - '0') * 100 + (code[2] - '0') * 10 + (code[3] - '0');
  head.is_http_1_0 = is_http_1_0;
  reason_at_ = static_cast<std::size_t>(reason - input.data());
  reason_size_ = static_cast<std::size_t>(stop - reason);
  const auto line_end = static_cast<std::size_t>(stop + 2 - input.data());
  if (line_end > longest) return fail(too_long);
  return line_end;
}

}  // namespace pipette::http
