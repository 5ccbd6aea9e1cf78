#include "pipette/http/body_writer.h"

#include "pipette/http/head_writer.h"
#include "pipette/http/trailer.h"

namespace pipette::http {
namespace {

using Kind = BodyLength::Kind;

constexpr Bytes kLineEnd = "\r\n";
constexpr Bytes kLastChunk = "0\r\n";

}  // namespace

Result<void> BodyWriter::take(std::size_t size) {
  if (size == 0) return {};
  if (is_finished_ || kind_ == Kind::none) return fail(Errc::wrong_body_size);
  if (kind_ != Kind::exact) return {};
  if (size > left_) return fail(Errc::wrong_body_size);
  left_ -= size;
  return {};
}

std::size_t BodyWriter::write_size_line(std::size_t size) {
  char* end = write_hex(size_line_.data(), size);
  *end++ = '\r';
  *end++ = '\n';
  return static_cast<std::size_t>(end - size_line_.data());
}

Result<std::span<const Bytes>> BodyWriter::write(Bytes data) {
  if (const Result<void> taken = take(data.size()); !taken) return fail(taken.error());
  if (data.empty()) return std::span<const Bytes>();
  if (kind_ != Kind::chunked) {
    pieces_[0] = data;
    return std::span<const Bytes>(pieces_).first(1);
  }
  pieces_ = {Bytes(size_line_.data(), write_size_line(data.size())), data, kLineEnd};
  return std::span<const Bytes>(pieces_);
}

Result<void> BodyWriter::write(Buffer& out, Bytes data) {
  const Result<std::span<const Bytes>> pieces = write(data);
  if (!pieces) return fail(pieces.error());
  for (const Bytes piece : *pieces) out.append(piece);
  return {};
}

Result<void> BodyWriter::finish(Buffer& out) {
  if (is_finished_ || (kind_ == Kind::exact && left_ > 0)) return fail(Errc::wrong_body_size);
  is_finished_ = true;
  if (kind_ == Kind::chunked) out.append("0\r\n\r\n");
  return {};
}

Result<void> BodyWriter::finish(Buffer& out, const Fields& trailers) {
  if (const Result<void> checked = check_trailers(trailers); !checked) return checked;
  if (kind_ != Kind::chunked) return finish(out);
  if (is_finished_) return fail(Errc::wrong_body_size);
  is_finished_ = true;
  HeadWriter writer(out, kLastChunk.size() + written_size(trailers) + kLineEnd.size());
  writer.put(kLastChunk);
  for (std::size_t i = 0; i < trailers.size(); ++i) writer.field(trailers[i].name, trailers[i].value);
  writer.end();
  return {};
}

}  // namespace pipette::http
