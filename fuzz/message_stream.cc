// Requests back to back on one connection: any split gives the messages that the whole gives, what is kept waiting is
// bounded, nothing is read behind an error, and a message that was read, written and read again is the same.
#include <optional>
#include <string>
#include <vector>

#include "pipette/base/buffer.h"
#include "pipette/http/body_reader.h"
#include "pipette/http/body_writer.h"
#include "pipette/http/framing.h"
#include "pipette/http/head_parser.h"
#include "pipette/http/message_writer.h"

#include "fuzz/grammar.h"
#include "fuzz/input.h"
#include "fuzz/require.h"
#include "tests/support/delivery.h"

namespace pipette::fuzz {
namespace {

using Kind = http::BodyLength::Kind;

struct Limits {
  http::HeadLimits head;
  http::BodyLimits body;
};

// Small ones in half of the cases, so that the fuzzer meets them.
Limits choose_limits(unsigned choice) {
  if (choice < 8) return {};
  const http::HeadLimits head{
      .max_target_bytes = 20, .max_field_bytes = 40, .max_fields = choice - 7, .max_head_bytes = 120};
  return {head, {.max_body_bytes = choice * 4, .max_chunk_overhead_bytes = 40, .trailer = head}};
}

struct Message {
  std::string head;  // as describe() tells it
  http::Method method = http::Method::get;
  std::string method_text, target, authority, path, query;
  http::TargetForm form = http::TargetForm::origin;
  http::OwnedFields fields;
  http::BodyLength length;
  std::string body;
  http::OwnedFields trailers;
  bool is_complete = false;
};

std::string describe(const Message& message) {
  return message.head + "\nbody of kind " + std::to_string(static_cast<int>(message.length.kind)) + ": <" +
         message.body + ">" + test::describe(message.trailers.view()) + (message.is_complete ? "\ncomplete" : "");
}

// A server's side of a connection, as far as reading goes.
class Reader {
 public:
  explicit Reader(const Limits& limits) : limits_(limits), parser_(limits.head) {}

  void deliver(Bytes piece) {
    if (error_) return;
    pending_ += piece;
    while (!error_ && step()) {
    }
    if (!error_) require(pending_.size() <= std::max(limits_.head.max_head_bytes, limits_.body.trailer.max_head_bytes));
  }

  const std::vector<Message>& messages() const { return messages_; }
  std::optional<Errc> error() const { return error_; }

  std::string describe() const {
    std::string text;
    for (const Message& message : messages_) text += fuzz::describe(message) + "\n";
    return text + (error_ ? std::string(errc_row(*error_).message) : "");
  }

 private:
  // False when more is needed.
  bool step() { return in_body_ ? take_body() : take_head(); }

  bool take_head() {
    if (pending_.empty()) return false;
    const test::ExactBlock block(pending_);
    const Result<std::size_t> size = parser_.parse(block.octets(), head_);
    if (!size) return stop(size.error());
    if (*size == 0) return false;
    const Result<http::BodyLength> length = http::body_length(head_);
    if (!length) return stop(length.error());
    begin_message(*length, block.octets());
    pending_.erase(0, *size);
    reader_ = http::BodyReader(*length, limits_.body);
    if (const Result<void> fits = reader_.check_declared_length(); !fits) return stop(fits.error());
    in_body_ = !reader_.is_complete();
    if (!in_body_) end_message();
    return true;
  }

  void begin_message(http::BodyLength length, Bytes octets) {
    require(length.kind != Kind::until_close);
    Message& message = messages_.emplace_back();
    message.head = test::describe(head_);
    message.method = head_.method;
    message.method_text = head_.method_text;
    message.target = head_.target;
    message.authority = head_.authority;
    message.path = head_.path;
    message.query = head_.query;
    message.form = head_.form;
    message.fields.assign(head_.fields, octets);
    message.length = length;
  }

  bool take_body() {
    if (pending_.empty()) return false;
    const test::ExactBlock block(pending_);
    const Result<http::BodyReader::Step> step = reader_.next(block.octets());
    if (!step) {
      require(!reader_.next(block.octets()) && !reader_.finish());
      return stop(step.error());
    }
    require(step->consumed <= pending_.size() && step->data.size() <= step->consumed);
    Message& message = messages_.back();
    message.body += step->data;
    require(message.body.size() <= limits_.body.max_body_bytes);
    if (step->is_complete) {
      for (std::size_t i = 0; i < reader_.trailers().size(); ++i) {
        const http::Field field = reader_.trailers()[i];
        require(message.trailers.add(field.name, field.value).has_value());
      }
      end_message();
    }
    pending_.erase(0, step->consumed);
    return step->consumed > 0;
  }

  void end_message() {
    messages_.back().is_complete = true;
    in_body_ = false;
    parser_.reset();
  }

  bool stop(std::error_code error) {
    error_ = errc_of(error);
    require(errc_row(*error_).status >= 400 && !errc_row(*error_).connection_survives);
    return false;
  }

  Limits limits_;
  http::RequestParser parser_;
  http::RequestHead head_;
  http::BodyReader reader_;
  bool in_body_ = false;
  std::string pending_;
  std::vector<Message> messages_;
  std::optional<Errc> error_;
};

Reader read(const test::Pieces& pieces, const Limits& limits) {
  Reader reader(limits);
  for (const Bytes piece : pieces) reader.deliver(piece);
  return reader;
}

// ---- writing ---------------------------------------------------------------------------------------------

bool is_managed(http::FieldName name) {
  using enum http::FieldName;
  return name == host || name == content_length || name == transfer_encoding || name == connection;
}

http::OwnedFields unmanaged(const http::OwnedFields& fields) {
  http::OwnedFields others;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (is_managed(http::intern(fields[i].name))) continue;
    require(others.add(fields[i].name, fields[i].value).has_value());
  }
  return others;
}

Result<http::RequestTarget> target_of(const Message& message, std::string_view path) {
  // A request of HTTP/1.0 may do without what one of HTTP/1.1 must say.
  const std::string_view authority = message.authority.empty() ? std::string_view("a") : message.authority;
  switch (message.form) {
    case http::TargetForm::origin:
      return http::RequestTarget::origin(authority, path);
    case http::TargetForm::absolute:
      return http::RequestTarget::absolute("http", authority, path);
    case http::TargetForm::authority:
      return http::RequestTarget::authority(authority);
    case http::TargetForm::asterisk:
      return http::RequestTarget::asterisk(authority);
  }
  return fail(Errc::bad_target);
}

// Why the writer may refuse what the parser takes.
bool is_excused(Errc error, const Message& message) {
  switch (error) {
    case Errc::bad_trailer:
    case Errc::bad_field_list:
      return message.fields.contains(http::FieldName::trailer);
    case Errc::managed_field:
      return message.fields.contains(http::FieldName::expect) && message.body.empty();
    case Errc::bad_transfer_coding:
      return message.fields.contains(http::FieldName::te);
    case Errc::wrong_body_size:
      return message.method == http::Method::connect || message.method == http::Method::trace;
    default:
      return false;
  }
}

// The message on the wire again; nothing when the writer refuses it.
std::string write(const Message& message, const http::OwnedFields& fields) {
  const std::string path = message.target.contains('?') ? message.path + "?" + message.query : message.path;
  const Result<http::RequestTarget> target = target_of(message, path);
  require(target.has_value());
  http::RequestHeadParts parts;
  parts.method = message.method;
  parts.method_text = message.method_text;
  parts.target = *target;
  parts.fields = fields;
  parts.length = message.length.kind == Kind::chunked ? http::KnownLength() : message.body.size();
  Buffer out;
  const Result<http::BodyLength> length = http::write_request_head(out, parts);
  if (!length) {
    require(out.empty() && is_excused(errc_of(length.error()), message));
    return {};
  }
  http::BodyWriter writer(*length);
  const Bytes body = message.body;
  require(writer.write(out, body.substr(0, body.size() / 2)) && writer.write(out, body.substr(body.size() / 2)));
  require(writer.finish(out, message.trailers.view()).has_value());
  return std::string(out.readable());
}

std::string without_trailer_names(const http::OwnedFields& fields) {
  http::OwnedFields others = fields;
  others.remove("Trailer");
  return test::describe(others.view());
}

// ---- what must hold --------------------------------------------------------------------------------------

void require_written_alike(const Message& message) {
  const http::OwnedFields fields = unmanaged(message.fields);
  const std::string octets = write(message, fields);
  if (octets.empty()) return;
  const Limits limits{.head = {.max_target_bytes = 1 << 20,
                               .max_start_line_bytes = 1 << 20,
                               .max_field_bytes = 1 << 20,
                               .max_fields = 1000,
                               .max_head_bytes = 1 << 20},
                      .body = {}};
  const Reader again = read({octets}, limits);
  require(!again.error() && again.messages().size() == 1);
  const Message& other = again.messages().front();
  require(other.is_complete && other.method_text == message.method_text && other.form == message.form);
  require(other.path == message.path && other.query == message.query);
  require(message.authority.empty() || other.authority == message.authority);
  require(other.body == message.body);
  require(test::describe(other.trailers.view()) == test::describe(message.trailers.view()));
  require(without_trailer_names(unmanaged(other.fields)) == without_trailer_names(fields));
}

void require_sound(const Message& message) {
  require_fields(message.fields.view());
  require_fields(message.trailers.view());
  for (std::size_t i = 0; i < message.trailers.size(); ++i) {
    const http::FieldName name = http::intern(message.trailers[i].name);
    require(!is_managed(name) && name != http::FieldName::authorization && name != http::FieldName::set_cookie);
  }
  if (message.is_complete) {
    require(message.length.kind != Kind::exact || message.body.size() == message.length.size);
    require_written_alike(message);
  }
}

void run(const Input& input) {
  const Limits limits = choose_limits(input.choice);
  const Reader whole = read({input.octets}, limits);
  const std::string expected = whole.describe();
  require(read(input.pieces, limits).describe() == expected);
  if (input.octets.size() < 256) require(read(test::one_by_one(input.octets), limits).describe() == expected);
  for (const Message& message : whole.messages()) require_sound(message);
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({data, size});
  return 0;
}
