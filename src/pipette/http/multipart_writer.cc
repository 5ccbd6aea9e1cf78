#include "pipette/http/multipart_writer.h"

#include <algorithm>

#include "pipette/base/ascii.h"

namespace pipette::http {
namespace {

constexpr std::string_view kDisposition = "Content-Disposition: form-data; name=\"";
constexpr std::string_view kFilename = "\"; filename=\"";
constexpr std::string_view kContentType = "Content-Type: ";
constexpr std::string_view kQuote = "%22";
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kDashes = "--";

Result<void> check_name(std::string_view name) {
  if (!ascii::is_value(name)) return fail(Errc::bad_field_value);
  if (name.contains(kQuote)) return fail(Errc::bad_multipart);
  return {};
}

Result<void> check(const PartInfo& info) {
  if (const Result<void> name = check_name(info.name); !name) return name;
  if (const Result<void> filename = check_name(info.filename.value_or("")); !filename) return filename;
  const bool is_trimmed = ascii::trim(info.content_type).size() == info.content_type.size();  // as it is read back
  if (!is_trimmed || !ascii::is_value(info.content_type)) return fail(Errc::bad_field_value);
  return {};
}

// Calls put(text) for what stands between the quotes.
template <class Put>
void write_name(std::string_view name, Put&& put) {
  for (;;) {
    const std::size_t plain = std::min(name.find_first_of("\"\\"), name.size());
    put(name.substr(0, plain));
    if (plain == name.size()) return;
    put(name[plain] == '"' ? kQuote : std::string_view("\\\\"));
    name.remove_prefix(plain + 1);
  }
}

// The field lines and the empty one behind them.
template <class Put>
void write_head(const PartInfo& info, Put&& put) {
  put(kDisposition);
  write_name(info.name, put);
  if (info.filename) {
    put(kFilename);
    write_name(*info.filename, put);
  }
  put("\"\r\n");
  if (!info.content_type.empty()) {
    put(kContentType);
    put(info.content_type);
    put(kLineEnd);
  }
  put(kLineEnd);
}

}  // namespace

std::string MultipartWriter::content_type() const {
  const bool is_quoted = !ascii::is_token(boundary_.text());
  std::string text = "multipart/form-data; boundary=";
  if (is_quoted) text += '"';
  text += boundary_.text();
  if (is_quoted) text += '"';
  return text;
}

Result<void> MultipartWriter::add_field(std::string_view name, Bytes value, std::string& out) {
  return add_part({.name = name}, value, out);
}

Result<void> MultipartWriter::add_part(const PartInfo& info, Bytes content, std::string& out) {
  const std::size_t before = out.size();
  const MultipartWriter writer_before = *this;
  Result<void> added = begin_part(info, out);
  if (added) added = add_content(content, out);
  if (!added) {
    out.resize(before);
    *this = writer_before;
  }
  return added;
}

Result<void> MultipartWriter::begin_part(const PartInfo& info, std::string& out) {
  if (state_ != State::empty && state_ != State::in_part) return fail(Errc::bad_multipart);
  if (const Result<void> checked = check(info); !checked) return checked;
  out += state_ == State::empty ? boundary_.delimiter().substr(kLineEnd.size()) : boundary_.delimiter();
  out += kLineEnd;
  write_head(info, [&](std::string_view text) { out += text; });
  content_.begin_at_line();
  state_ = State::in_part;
  return {};
}

Result<void> MultipartWriter::add_content(Bytes piece, std::string& out) {
  if (const Result<void> checked = check_content(piece); !checked) return checked;
  out += piece;
  return {};
}

Result<void> MultipartWriter::check_content(Bytes piece) {
  if (state_ != State::in_part) return fail(Errc::bad_multipart);
  for (;;) {
    const internal::DelimiterSearch::Step step = content_.next(piece);
    if (step.is_found) {
      state_ = State::bad_content;
      return fail(Errc::bad_multipart);
    }
    piece.remove_prefix(step.consumed);
    if (step.data.empty() && piece.empty()) return {};
  }
}

Result<void> MultipartWriter::finish(std::string& out) {
  if (state_ != State::empty && state_ != State::in_part) return fail(Errc::bad_multipart);
  out += state_ == State::empty ? boundary_.delimiter().substr(kLineEnd.size()) : boundary_.delimiter();
  out.append(kDashes).append(kLineEnd);
  state_ = State::finished;
  return {};
}

std::uint64_t MultipartWriter::size_of_part(const PartInfo& info, std::uint64_t content_size) const {
  std::uint64_t size = kDashes.size() + boundary_.text().size() + 2 * kLineEnd.size() + content_size;
  write_head(info, [&](std::string_view text) { size += text.size(); });
  return size;
}

}  // namespace pipette::http
