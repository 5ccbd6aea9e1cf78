#include "conformance/connection.h"

#include <array>
#include <string_view>
#include <utility>

#include "conformance/octets.h"
#include "tests/support/splits.h"

namespace pipette::conformance {
namespace {

using Kind = http::BodyLength::Kind;
using test::ExactBlock;

struct ErrcName {
  Errc code;
  std::string_view name;
};

constexpr ErrcName kErrcNames[] = {
    {Errc::bad_method, "bad_method"},
    {Errc::bad_target, "bad_target"},
    {Errc::bad_version, "bad_version"},
    {Errc::bad_status, "bad_status"},
    {Errc::unsupported_version, "unsupported_version"},
    {Errc::target_too_long, "target_too_long"},
    {Errc::start_line_too_long, "start_line_too_long"},
    {Errc::bad_line_end, "bad_line_end"},
    {Errc::bad_field_name, "bad_field_name"},
    {Errc::bad_field_value, "bad_field_value"},
    {Errc::obsolete_line_folding, "obsolete_line_folding"},
    {Errc::field_too_large, "field_too_large"},
    {Errc::too_many_fields, "too_many_fields"},
    {Errc::head_too_large, "head_too_large"},
    {Errc::missing_host, "missing_host"},
    {Errc::repeated_host, "repeated_host"},
    {Errc::bad_host, "bad_host"},
    {Errc::bad_content_length, "bad_content_length"},
    {Errc::conflicting_framing, "conflicting_framing"},
    {Errc::unknown_transfer_coding, "unknown_transfer_coding"},
    {Errc::bad_transfer_coding, "bad_transfer_coding"},
    {Errc::bad_chunk, "bad_chunk"},
    {Errc::chunk_overhead_too_large, "chunk_overhead_too_large"},
    {Errc::body_too_large, "body_too_large"},
    {Errc::incomplete_message, "incomplete_message"},
    {Errc::bad_reason, "bad_reason"},
    {Errc::wrong_body_size, "wrong_body_size"},
    {Errc::bad_trailer, "bad_trailer"},
    {Errc::bad_field_list, "bad_field_list"},
    {Errc::managed_field, "managed_field"},
};

constexpr std::string_view kForms[] = {"origin", "absolute", "authority", "asterisk"};

std::string version(bool is_http_1_0) { return is_http_1_0 ? "HTTP/1.0" : "HTTP/1.1"; }

std::string method_of(const http::RequestHead& head) {
  if (head.method == http::Method::other) return "other " + quote(head.method_text);
  // Both what was read and what it was taken for: they must agree.
  return std::string(to_string(head.method)) +
         (to_string(head.method) == head.method_text ? "" : " " + quote(head.method_text));
}

void say_fields(std::vector<std::string>& events, std::string_view word, const http::Fields& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    events.push_back(std::string(word) + " " + quote(fields[i].name) + " " + quote(fields[i].value));
  }
}

std::string describe(const http::BodyLength& length) {
  switch (length.kind) {
    case Kind::none:
      return "body none";
    case Kind::exact:
      return "body exact " + std::to_string(length.size);
    case Kind::chunked:
      return "body chunked";
    case Kind::until_close:
      return "body until close";
  }
  return {};
}

http::BodyLength length_of(const Case& of) {
  switch (of.sent) {
    case Sent::chunked_body:
      return {Kind::chunked, 0};
    case Sent::exact_body:
      return {Kind::exact, of.settings.body_size};
    case Sent::until_close_body:
      return {Kind::until_close, 0};
    default:
      return {};
  }
}

// More than a parser cares to remember.
constexpr int kManyHeads = 12;

std::vector<std::string> heads_of(Past past, const Case& of) {
  std::vector<std::string> heads;
  if (past == Past::same_head) heads = {of.octets, of.octets};
  if (past == Past::other_heads) {
    const std::string start_line = of.sent == Sent::response ? "HTTP/1.1 200 OK\r\n" : "GET / HTTP/1.0\r\n";
    for (int i = 0; i < kManyHeads; ++i) heads.push_back(start_line + "X: " + std::to_string(i) + "\r\n\r\n");
  }
  return heads;
}

Result<std::size_t> parse(http::RequestParser& parser, ExactBlock& block, http::RequestHead& head) {
  return parser.parse(block.octets(), head);
}
Result<std::size_t> parse(http::ResponseParser& parser, ExactBlock& block, http::ResponseHead& head) {
  return parser.parse(block.writable(), head);
}

// False when `octets` are no head: then the parser is as it was in the beginning.
template <class Parser, class Head>
bool read_before(Parser& parser, const std::string& octets, Head& head) {
  const Parser unused = parser;
  ExactBlock block(octets);
  const Result<std::size_t> size = parse(parser, block, head);
  if (!size || *size == 0) {
    parser = unused;
    head = Head();
    return false;
  }
  parser.reset();
  return true;
}

}  // namespace

std::string name_of(Errc code) {
  for (const ErrcName& row : kErrcNames) {
    if (row.code == code) return std::string(row.name);
  }
  return "errc_" + std::to_string(static_cast<int>(code));
}

Connection::Connection(const Case& of, const http::internal::Scans& scans, Past past)
    : case_(of), request_parser_(of.settings.head, scans), response_parser_(of.settings.head, scans) {
  live_through(past);
  if (is_body_alone() && begin_body(length_of(of)) && body_->is_complete()) end_body();
}

void Connection::live_through(Past past) {
  const std::vector<std::string> heads = heads_of(past, case_);
  for (const std::string& head : heads) {
    const bool is_read =
        is_response() ? read_before(response_parser_, head, response_) : read_before(request_parser_, head, request_);
    if (!is_read) break;
  }
}

bool Connection::is_body_alone() const { return case_.sent != Sent::request && case_.sent != Sent::response; }

void Connection::deliver(Bytes piece) {
  pending_ += piece;
  while (step()) {
  }
}

bool Connection::step() {
  switch (state_) {
    case State::in_head:
      return !pending_.empty() && take_head();
    case State::in_body:
      return take_body();
    case State::stopped:
    case State::refused:
      return false;
  }
  return false;
}

bool Connection::take_head() { return is_response() ? take_response_head() : take_request_head(); }

bool Connection::take_request_head() {
  ExactBlock block(pending_);
  const Result<std::size_t> size = parse(request_parser_, block, request_);
  if (!size) refuse(size.error());
  if (!size || *size == 0) return false;
  events_.push_back("request " + method_of(request_) + " " + version(request_.is_http_1_0));
  events_.push_back("target " + std::string(kForms[static_cast<std::size_t>(request_.form)]) + ", authority " +
                    quote(request_.authority) + ", path " + quote(request_.path) + ", query " + quote(request_.query));
  say_fields(events_, "field", request_.fields);
  persists_ = http::persists(request_.is_http_1_0, request_.fields);
  const Result<http::BodyLength> length = http::body_length(request_);
  pending_.erase(0, *size);
  return begin_body(length);
}

bool Connection::take_response_head() {
  ExactBlock block(pending_);
  const Result<std::size_t> size = parse(response_parser_, block, response_);
  pending_ = block.octets();  // folds are replaced in place
  if (!size) refuse(size.error());
  if (!size || *size == 0) return false;
  const http::Method method = case_.settings.in_answer_to[answered_];
  const int status = response_.status;
  events_.push_back("response " + std::to_string(status) + " " + quote(response_.reason) + " " +
                    version(response_.is_http_1_0));
  say_fields(events_, "field", response_.fields);
  persists_ = http::persists(response_.is_http_1_0, response_.fields);
  is_tunnel_ = status == 101 || (method == http::Method::connect && status >= 200 && status < 300);
  const Result<http::BodyLength> length = http::body_length(response_, method);
  pending_.erase(0, *size);
  if (length && length->kind == Kind::until_close) persists_ = false;
  if (status < 100 || status >= 200) ++answered_;
  return begin_body(length);
}

bool Connection::begin_body(const Result<http::BodyLength>& length) {
  if (!length) {
    refuse(length.error());
    return false;
  }
  if (!is_body_alone()) events_.push_back(describe(*length));
  body_.emplace(*length, case_.settings.body);
  if (const Result<void> fits = body_->check_declared_length(); !fits) {
    refuse(fits.error());
    return false;
  }
  state_ = State::in_body;
  return true;
}

bool Connection::take_body() {
  if (body_->is_complete()) {
    end_body();
    return true;
  }
  const ExactBlock block(pending_);
  const Result<http::BodyReader::Step> step = body_->next(block.octets());
  if (!step) {
    refuse(step.error());
    return false;
  }
  data_ += step->data;
  pending_.erase(0, step->consumed);
  if (step->is_complete) {
    end_body();
    return true;
  }
  return step->consumed > 0;
}

void Connection::end_body() {
  say_data();
  say_fields(events_, "trailer", body_->trailers());
  end_message();
}

void Connection::end_message() {
  const bool is_last = is_body_alone() || !persists_ || is_tunnel_;
  events_.push_back(is_tunnel_ ? "complete, tunnel" : persists_ ? "complete" : "complete, closes");
  const bool has_no_request_left = is_response() && answered_ == case_.settings.in_answer_to.size();
  state_ = is_last || has_no_request_left ? State::stopped : State::in_head;
  request_parser_.reset();
  response_parser_.reset();
}

void Connection::say_data() {
  if (!data_.empty()) events_.push_back("data " + quote(data_));
  data_.clear();
}

void Connection::refuse(std::error_code error) {
  const Errc code = errc_of(error);
  events_.push_back("refused " + name_of(code) + (is_response() ? "" : " " + std::to_string(errc_row(code).status)));
  state_ = State::refused;
}

void Connection::finish() {
  if (state_ == State::in_body && case_.settings.then_end_of_stream) {
    if (const Result<void> finished = body_->finish(); !finished) return refuse(finished.error());
    end_body();
  }
  if (state_ == State::in_body || (state_ == State::in_head && (events_.empty() || !pending_.empty()))) {
    say_data();
    events_.emplace_back("incomplete");
  }
  if (state_ == State::stopped && !pending_.empty()) events_.push_back("left " + quote(pending_));
}

}  // namespace pipette::conformance
