// picohttpparser, as the benchmarks of heads call it.
//
// libh2o-evloop exports its functions and installs no header for them; the same sources, when PIPETTE_PICOHTTPPARSER
// names them, are built for this machine's processor under names of their own.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

extern "C" {

struct phr_header {
  const char* name;
  std::size_t name_len;
  const char* value;
  std::size_t value_len;
};

int phr_parse_request(const char* octets, std::size_t size, const char** method, std::size_t* method_size,
                      const char** target, std::size_t* target_size, int* minor_version, phr_header* fields,
                      std::size_t* field_count, std::size_t last_size);
int phr_parse_response(const char* octets, std::size_t size, int* minor_version, int* status, const char** reason,
                       std::size_t* reason_size, phr_header* fields, std::size_t* field_count, std::size_t last_size);
decltype(phr_parse_request) phr_native_parse_request;
decltype(phr_parse_response) phr_native_parse_response;

}  // extern "C"

namespace pipette::bench {

// What a user of picohttpparser has at the end; the size of the head, or less than 1.
template <decltype(phr_parse_request)* kParseRequest>
struct PicoRequest {
  const char* method = nullptr;
  std::size_t method_size = 0;
  const char* target = nullptr;
  std::size_t target_size = 0;
  int minor_version = 0;
  std::size_t field_count = 0;
  std::array<phr_header, 100> fields;

  int parse(std::string_view octets) {
    field_count = fields.size();
    return kParseRequest(octets.data(), octets.size(), &method, &method_size, &target, &target_size, &minor_version,
                         fields.data(), &field_count, 0);
  }
};

template <decltype(phr_parse_response)* kParseResponse>
struct PicoResponse {
  int minor_version = 0;
  int status = 0;
  const char* reason = nullptr;
  std::size_t reason_size = 0;
  std::size_t field_count = 0;
  std::array<phr_header, 100> fields;

  int parse(std::string_view octets) {
    field_count = fields.size();
    return kParseResponse(octets.data(), octets.size(), &minor_version, &status, &reason, &reason_size, fields.data(),
                          &field_count, 0);
  }
};

}  // namespace pipette::bench
