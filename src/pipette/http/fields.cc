#include "pipette/http/fields.h"

#include <algorithm>
#include <utility>

#include "pipette/base/ascii.h"

namespace pipette::http {

Fields& Fields::operator=(const Fields& other) {
  if (this == &other) return *this;
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
  if (!ascii::is_token(name)) return fail(Errc::bad_field_name);
  if (!ascii::is_value(value)) return fail(Errc::bad_field_value);
  remove(name);
  append(intern(name), name, ascii::trim(value));
  return {};
}

Result<void> OwnedFields::add(std::string_view name, std::string_view value) {
  if (!ascii::is_token(name)) return fail(Errc::bad_field_name);
  if (!ascii::is_value(value)) return fail(Errc::bad_field_value);
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
  fields_.rebase(text_.data());
}

void OwnedFields::append(FieldName id, std::string_view name, std::string_view value) {
  const std::size_t name_at = text_.size();
  text_ += name;
  const std::size_t value_at = text_.size();
  text_ += value;
  fields_.append(id, name_at, name.size(), value_at, value.size());
  fields_.rebase(text_.data());
}

}  // namespace pipette::http
