// http_parser, which was Node.js's, as the benchmarks of heads call it: its callbacks keep what they are told.
#pragma once

#include <array>
#include <cstddef>
#include <http_parser.h>
#include <string_view>

namespace pipette::bench {

template <http_parser_type kType>
struct HttpParserHead {
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  http_parser parser;
  std::string_view target;
  std::string_view reason;
  std::size_t field_count = 0;
  std::array<Field, 100> fields;
  bool is_complete = false;

  // The size of the head, or less than 1.
  int parse(std::string_view octets) {
    http_parser_init(&parser, kType);
    parser.data = this;
    field_count = 0;
    is_complete = false;
    const std::size_t parsed = http_parser_execute(&parser, &settings(), octets.data(), octets.size());
    return is_complete ? static_cast<int>(parsed) : 0;
  }

 private:
  static HttpParserHead& self(http_parser* parser) { return *static_cast<HttpParserHead*>(parser->data); }

  static const http_parser_settings& settings() {
    static const http_parser_settings made = [] {
      http_parser_settings with;
      http_parser_settings_init(&with);
      with.on_url = [](http_parser* parser, const char* at, std::size_t size) {
        self(parser).target = {at, size};
        return 0;
      };
      with.on_status = [](http_parser* parser, const char* at, std::size_t size) {
        self(parser).reason = {at, size};
        return 0;
      };
      with.on_header_field = [](http_parser* parser, const char* at, std::size_t size) {
        HttpParserHead& head = self(parser);
        if (head.field_count == head.fields.size()) return 1;
        head.fields[head.field_count++].name = {at, size};
        return 0;
      };
      with.on_header_value = [](http_parser* parser, const char* at, std::size_t size) {
        HttpParserHead& head = self(parser);
        head.fields[head.field_count - 1].value = {at, size};
        return 0;
      };
      with.on_headers_complete = [](http_parser* parser) {
        self(parser).is_complete = true;
        return 0;
      };
      return with;
    }();
    return made;
  }
};

}  // namespace pipette::bench
