#include "conformance/writing.h"

#include <string_view>
#include <utility>

#include "pipette/http/body_writer.h"
#include "pipette/http/message_writer.h"

#include "conformance/connection.h"
#include "conformance/octets.h"

namespace pipette::conformance {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;
using Events = std::vector<std::string>;

Events refused(std::error_code error) { return {"refused " + name_of(errc_of(error))}; }

Result<http::OwnedFields> make_fields(const Pairs& pairs) {
  http::OwnedFields fields;
  for (const auto& [name, value] : pairs) {
    if (const Result<void> added = fields.add(name, value); !added) return fail(added.error());
  }
  return fields;
}

Events set_field(const Order& order) {
  http::OwnedFields fields;
  for (const auto& [name, value] : order.fields) {
    if (const Result<void> set = fields.set(name, value); !set) return refused(set.error());
  }
  Events events;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    events.push_back("field " + quote(fields[i].name) + " " + quote(fields[i].value));
  }
  return events;
}

http::KnownLength length_of(const Order& order) {
  if (order.has_unknown_length) return {};
  if (order.declared_length) return *order.declared_length;
  std::uint64_t size = 0;
  for (const std::string& body : order.bodies) size += body.size();
  return size;
}

Result<http::RequestTarget> make_target(const Order& order) {
  const std::vector<std::string>& parts = order.target;
  switch (order.form) {
    case http::TargetForm::origin:
      return http::RequestTarget::origin(parts[0], parts[1]);
    case http::TargetForm::absolute:
      return http::RequestTarget::absolute(parts[0], parts[1], parts[2]);
    case http::TargetForm::authority:
      return http::RequestTarget::authority(parts[0]);
    case http::TargetForm::asterisk:
      return http::RequestTarget::asterisk(parts[0]);
  }
  return fail(Errc::bad_target);
}

Result<http::BodyLength> write_request(const Order& order, http::FieldLines fields, Buffer& out) {
  http::RequestHeadParts parts;
  parts.method = http::method_of(order.method);
  parts.method_text = order.method;
  const Result<http::RequestTarget> target = make_target(order);
  if (!target) return fail(target.error());
  parts.target = *target;
  parts.fields = fields;
  const Result<http::FieldValue> user_agent = http::FieldValue::check(order.user_agent);
  const Result<http::FieldValue> content_type = http::FieldValue::check(order.content_type);
  if (!user_agent) return fail(user_agent.error());
  if (!content_type) return fail(content_type.error());
  parts.user_agent = *user_agent;
  parts.content_type = *content_type;
  parts.length = length_of(order);
  parts.is_for_http_1_0 = order.is_for_http_1_0;
  parts.keeps_alive = !order.closes;
  parts.expects_continue = order.expects_continue;
  return http::write_request_head(out, parts);
}

Result<http::BodyLength> write_response(const Order& order, http::FieldLines fields, Buffer& out) {
  http::ResponseHeadParts parts;
  parts.status = order.status;
  if (order.reason) parts.reason = *order.reason;
  parts.fields = fields;
  const Result<http::FieldValue> content_type = http::FieldValue::check(order.content_type);
  if (!content_type) return fail(content_type.error());
  parts.content_type = *content_type;
  parts.length = length_of(order);
  parts.request_method = order.in_answer_to;
  parts.is_for_http_1_0 = order.is_for_http_1_0;
  parts.keeps_alive = !order.closes;
  parts.defaults.server = order.server;
  parts.defaults.date = order.date;
  return http::write_response_head(out, parts);
}

Result<void> write_body(const Order& order, http::BodyLength length, Buffer& out) {
  const Result<http::OwnedFields> trailers = make_fields(order.trailers);
  if (!trailers) return fail(trailers.error());
  http::BodyWriter writer(length);
  for (const std::string& body : order.bodies) {
    if (const Result<void> written = writer.write(out, body); !written) return written;
  }
  return writer.finish(out, trailers->view());
}

// A line of text for each line of the octets.
Events describe(Bytes octets) {
  Events events;
  while (!octets.empty()) {
    const std::size_t end = octets.find("\r\n");
    const Bytes line = octets.substr(0, end == Bytes::npos ? end : end + 2);
    events.push_back("octets " + quote(line));
    octets.remove_prefix(line.size());
  }
  return events;
}

Events write_message(const Case& one, http::FieldLines fields) {
  const Order& order = one.order;
  Buffer out;
  const Result<http::BodyLength> length =
      one.sent == Sent::write_request ? write_request(order, fields, out) : write_response(order, fields, out);
  if (!length && out.empty()) return refused(length.error());
  if (!length) return {"refused, but something has been written"};
  const Result<void> written = write_body(order, *length, out);
  Events events = describe(out.readable());
  if (!written) {
    events.push_back(refused(written.error()).front());
    return events;
  }
  const bool closes = length->kind == http::BodyLength::Kind::until_close;
  events.emplace_back(closes ? "complete, closes" : "complete");
  return events;
}

Events write_interim_response(const Order& order, http::FieldLines fields) {
  Buffer out;
  const Result<void> written = http::write_interim_response(out, order.status, order.is_for_http_1_0, fields);
  if (!written) return refused(written.error());
  Events events = describe(out.readable());
  events.emplace_back("complete");
  return events;
}

Events write_with(const Case& one, http::FieldLines fields) {
  if (one.sent == Sent::write_interim_response) return write_interim_response(one.order, fields);
  return write_message(one, fields);
}

}  // namespace

std::vector<std::string> run_writing(const Case& one) {
  if (one.sent == Sent::set_field) return set_field(one.order);
  const Result<http::OwnedFields> fields = make_fields(one.order.fields);
  if (!fields) return refused(fields.error());
  // Fields are copied as lines, or one by one.
  const Events events = write_with(one, *fields);
  if (events != write_with(one, fields->view())) return {"refused, for two ways of writing differ"};
  return events;
}

}  // namespace pipette::conformance
