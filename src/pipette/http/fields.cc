#include "pipette/http/fields.h"

#include <algorithm>
#include <utility>

#include "pipette/base/ascii.h"

namespace pipette::http {
namespace {

constexpr std::size_t kMaxNameBytes = UINT16_MAX;  // what an entry can say

Result<void> check(std::string_view name, std::string_view value) {
  if (!ascii::is_token(name)) return fail(Errc::bad_field_name);
  if (!ascii::is_value(value)) return fail(Errc::bad_field_value);
  if (name.size() > kMaxNameBytes) return fail(Errc::field_too_large);
  return {};
}

}  // namespace

Fields& Fields::operator=(const Fields& other) {
  if (this == &other) return *this;
  ++revision_;
  size_ = 0;
  reserve(other.size_);
  size_ = other.size_;
  base_ = other.base_;
  std::copy_n(other.entries_.get(), other.size_, entries_.get());
  repeated_ = other.repeated_;
  first_ = other.first_;
  return *this;
}

Fields& Fields::operator=(Fields&& other) noexcept {
  if (this == &other) return *this;
  ++revision_;
  base_ = other.base_;
  size_ = other.size_;
  capacity_ = std::exchange(other.capacity_, 0);
  entries_ = std::move(other.entries_);
  repeated_ = other.repeated_;
  first_ = other.first_;
  other.clear();
  return *this;
}

std::optional<std::string_view> Fields::get(std::string_view name) const {
  if (const FieldName id = intern(name); id != FieldName::other) return get(id);
  for (std::size_t i = 0; i < size_; ++i) {
    const Field found = field(entries_[i]);
    if (ascii::equal_ignoring_case(found.name, name)) return found.value;
  }
  return std::nullopt;
}

void Fields::reserve(std::size_t more) {
  if (capacity_ - size_ >= more) return;
  const std::size_t capacity = std::max({size_ + more, capacity_ * 2, std::size_t{16}});
  auto larger = std::make_unique_for_overwrite<Entry[]>(capacity);
  std::copy_n(entries_.get(), size_, larger.get());
  entries_ = std::move(larger);
  capacity_ = capacity;
}

OwnedFields& OwnedFields::operator=(const OwnedFields& other) {
  text_ = other.text_;
  fields_ = other.fields_;
  fields_.rebase(text_.data());
  return *this;
}

OwnedFields& OwnedFields::operator=(OwnedFields&& other) noexcept {
  text_ = std::move(other.text_);
  fields_ = std::move(other.fields_);
  fields_.rebase(text_.data());
  other.clear();
  return *this;
}

Result<void> OwnedFields::set(std::string_view name, std::string_view value) {
  if (const Result<void> checked = check(name, value); !checked) return checked;
  remove(name);
  append(intern(name), name, ascii::trim(value));
  return {};
}

Result<void> OwnedFields::add(std::string_view name, std::string_view value) {
  if (const Result<void> checked = check(name, value); !checked) return checked;
  if (fields_.size() == kMaxFields) return fail(Errc::too_many_fields);
  append(intern(name), name, ascii::trim(value));
  return {};
}

void OwnedFields::remove(std::string_view name) {
  if (!fields_.get(name)) return;
  const Fields old = std::exchange(fields_, Fields());
  fields_.rebase(old.base_);
  for (std::size_t i = 0; i < old.size_; ++i) {
    const Fields::Entry& entry = old.entries_[i];
    if (ascii::equal_ignoring_case(old.field(entry).name, name)) continue;
    fields_.append(entry.name, entry.name_at, entry.name_size, entry.value_at, entry.value_size);
  }
}

void OwnedFields::assign(const Fields& fields, Bytes octets) {
  text_ = octets;
  fields_ = fields;
  // Offsets count from the base of `fields`, which need not be where `octets` begin (head_parser.cc, repeats_last).
  const auto shift = static_cast<std::uint32_t>(fields.base_ - octets.data());
  for (std::size_t i = 0; i < fields_.size_; ++i) {
    fields_.entries_[i].name_at += shift;
    fields_.entries_[i].value_at += shift;
  }
  fields_.rebase(text_.data());
}

void OwnedFields::append(FieldName id, std::string_view name, std::string_view value) {
  const std::size_t name_at = text_.size();
  const std::size_t size = name_at + name.size() + value.size();
  if (size > text_.capacity()) {
    std::string larger;  // beside the old text, into which `name` and `value` may point
    larger.reserve(std::max(size, 2 * text_.capacity()));
    larger.append(text_).append(name).append(value);
    text_ = std::move(larger);
  } else {
    text_.append(name).append(value);
  }
  fields_.append(id, name_at, name.size(), name_at + name.size(), value.size());
  fields_.rebase(text_.data());
}

}  // namespace pipette::http
