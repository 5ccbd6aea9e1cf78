// What a context asks of its session: streams, time, other protocols.
#include <algorithm>
#include <utility>

#include "pipette/http/date.h"
#include "pipette/http/trailer.h"
#include "pipette/net/file_source.h"
#include "pipette/server/exchange.h"
#include "pipette/server/request_ctx.h"
#include "pipette/server/session.h"

namespace pipette::server {

Task<Result<std::string_view>> RequestCtx::read_body() {
  if (!exchange_.body.empty()) co_return std::exchange(exchange_.body, Bytes());
  if (exchange_.session != nullptr && exchange_.body_reader) co_return co_await exchange_.session->read_body_some();
  if (exchange_.body_reader && exchange_.session == nullptr) co_return fail(Errc::operation_canceled);
  co_return Bytes();
}

Task<Result<std::string_view>> RequestCtx::read_whole_body() {
  if (!exchange_.body.empty()) co_return exchange_.body;
  std::string whole;
  for (;;) {
    const Result<std::string_view> piece = co_await read_body();
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) break;
    whole += *piece;
  }
  exchange_.body_storage = std::move(whole);
  exchange_.body = exchange_.body_storage;
  co_return exchange_.body;
}

const http::Fields& RequestCtx::trailers() const {
  static const http::Fields kNone;
  return exchange_.body_reader ? exchange_.trailers.view() : kNone;
}

async::Soon<Result<void>> RequestCtx::write(std::string_view data) {
  if (exchange_.session == nullptr) return Result<void>(fail(Errc::operation_canceled));
  return exchange_.session->write_body(data);
}

Task<Result<void>> RequestCtx::flush() {
  if (exchange_.session == nullptr) co_return fail(Errc::operation_canceled);
  co_return co_await exchange_.session->flush_body();
}

void RequestCtx::set_stream_length(std::uint64_t size) {
  exchange_.response.is_plain = false;
  exchange_.response.stream_length = size;
}

Result<void> RequestCtx::add_trailer(std::string_view name, std::string_view value) {
  if (!http::may_be_trailer(name)) return fail(Errc::bad_trailer);
  exchange_.response.is_plain = false;
  return exchange_.response.trailers.add(name, value);
}

void RequestCtx::set_body_source(std::unique_ptr<BodySource> source, http::KnownLength length) {
  exchange_.response.is_plain = false;
  exchange_.response.source = std::move(source);
  exchange_.response.stream_length = length;
}

Result<void> RequestCtx::send_file(const std::string& path) {
  Result<net::OpenedFile> file = net::open_file(path);
  if (!file) return fail(file.error());
  const auto modified = http::format_date(file->modified);
  if (const Result<void> set = set_header("Last-Modified", {modified.data(), modified.size()}); !set) return set;
  if (exchange_.response.content_type.empty()) exchange_.response.content_type = "application/octet-stream";
  set_body_source(std::move(file->source), file->size);
  return {};
}

bool RequestCtx::is_response_streamed() const {
  const bool has_begun = exchange_.session != nullptr && exchange_.session->has_begun_response();
  return has_begun || exchange_.response.source != nullptr;
}

Result<void> RequestCtx::send_early_hints() {
  if (exchange_.session == nullptr) return fail(Errc::operation_canceled);
  http::OwnedFields links;
  exchange_.response.fields.view().for_each(http::FieldName::link,
                                            [&links](std::string_view link) { (void)links.add("Link", link); });
  if (links.empty()) return {};
  return exchange_.session->send_interim(103, links);
}

async::StopToken RequestCtx::stop_token() const { return exchange_.stop.token(); }
TimePoint RequestCtx::deadline() const { return exchange_.deadline; }

async::SleepUntil RequestCtx::sleep(Duration time) {
  return async::sleep_until(exchange_.runtime->loop(), after(now(), time), stop_token());
}

void RequestCtx::limit_time(Duration time, LateAnswer answer) {
  const TimePoint limit = after(now(), time);
  if (limit >= exchange_.deadline) return;
  exchange_.is_plain = false;
  exchange_.deadline = limit;
  exchange_.late_answer = std::move(answer);
  if (exchange_.session != nullptr) exchange_.session->move_handler_deadline();
}

void RequestCtx::timeout_error(LateAnswer answer) {
  exchange_.is_plain = false;
  exchange_.late_answer = std::move(answer);
  exchange_.has_given_up = true;
  if (exchange_.session != nullptr) exchange_.session->attend();
}

void RequestCtx::set_read_deadline(TimePoint deadline) {
  if (exchange_.session != nullptr) exchange_.session->set_read_deadline(deadline);
}
void RequestCtx::set_write_deadline(TimePoint deadline) {
  exchange_.is_plain = false;
  if (exchange_.session != nullptr) exchange_.session->set_write_deadline(deadline);
}

void RequestCtx::hijack(HijackHandler handler) {
  exchange_.is_plain = exchange_.response.is_plain = false;
  exchange_.hijack = Hijack{std::move(handler), true};
}
void RequestCtx::hijack_silently(HijackHandler handler) {
  exchange_.is_plain = exchange_.response.is_plain = false;
  exchange_.hijack = Hijack{std::move(handler), false};
}

bool RequestCtx::is_hijacked() const { return exchange_.hijack.has_value(); }

Result<void> RequestCtx::upgrade(std::string_view protocol, HijackHandler handler) {
  if (is_http_1_0()) return fail(Errc::bad_status);
  if (const Result<void> set = exchange_.response.fields.set("Upgrade", protocol); !set) return set;
  if (const Result<void> set = exchange_.response.fields.set("Connection", "Upgrade"); !set) return set;
  exchange_.response.status = 101;
  hijack(std::move(handler));
  return {};
}

}  // namespace pipette::server
