// What the benchmarks of the codec read: heads of the sizes that their rows name.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/base/random.h"

namespace pipette::bench {

// The GET of fasthttp's server benchmarks: 205 octets.
inline constexpr std::string_view kGet =
    "GET /foobar?baz HTTP/1.1\r\n"
    "Host: google.com\r\n"
    "User-Agent: aaa/bbb/ccc/ddd/eee Firefox Chrome MSIE Opera\r\n"
    "Referer: http://example.com/aaa?bbb=ccc\r\n"
    "Cookie: foo=bar; baz=baraz; aa=aakslsdweriwereowriewroire\r\n"
    "\r\n";

// The least that a client of HTTP/1.1 may send.
inline constexpr std::string_view kShortRequest =
    "GET / HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "\r\n";

// What a browser sends: nine fields, the last of them long.
inline constexpr std::string_view kBrowserRequest =
    "GET /media/archive/2024/05/a-lighthouse-in-the-fog-before-sunrise.jpg HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0; de-DE) Gecko/20100101 Firefox/115.0 Sidecar/1.12.4\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: de,en-us;q=0.7,en;q=0.3\r\n"
    "Accept-Encoding: gzip,deflate\r\n"
    "Accept-Charset: ISO-8859-15,utf-8;q=0.7,*;q=0.7\r\n"
    "Keep-Alive: 115\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: visits=27; last_visit=1716192000; "
    "__track=103847561.1029384756.1716192000.1716195600.1716199200.4; "
    "__source=103847561.1716192000.1.1.campaign=(referral)|from=news.example.org|page=/lighthouses/|kind=referral\r\n"
    "\r\n";

inline constexpr std::string_view kShortResponse =
    "HTTP/1.1 200 OK\r\n"
    "Server: example\r\n"
    "Date: Mon, 20 May 2024 08:00:00 GMT\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 13\r\n"
    "X-Trace: 4f1c09a2be77\r\n"
    "\r\n";

inline constexpr std::string_view kLongResponse =
    "HTTP/1.1 200 OK\r\n"
    "Date: Mon, 20 May 2024 08:00:00 GMT\r\n"
    "Server: example/2.4.1 (Unix)\r\n"
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Length: 48213\r\n"
    "Last-Modified: Sun, 19 May 2024 21:14:07 GMT\r\n"
    "ETag: \"bc55-618d4f7a0b1c0-pages-lighthouse\"\r\n"
    "Cache-Control: public, max-age=3600, stale-while-revalidate=60\r\n"
    "Expires: Mon, 20 May 2024 09:00:00 GMT\r\n"
    "Vary: Accept-Encoding, Cookie\r\n"
    "Accept-Ranges: bytes\r\n"
    "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
    "Set-Cookie: session=9c1e5b7702fd4a6b8e; Path=/; HttpOnly; Secure; SameSite=Lax\r\n"
    "Via: 1.1 cache-3.example.net\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

// `head` twice, the last octet of its last field different.
inline std::vector<std::string> two_of(std::string_view head) {
  std::vector<std::string> heads(2, std::string(head));
  heads[1][head.size() - 5] = heads[0][head.size() - 5] == 'z' ? 'y' : 'z';
  return heads;
}

// Requests as browsers send them, each with fields, an order and values of its own; the same at every call.
inline std::vector<std::string> mixed_requests(std::size_t count) {
  constexpr std::string_view kNames[] = {
      "User-Agent",     "Accept",       "Accept-Language", "Accept-Encoding", "Referer",
      "Cookie",         "Connection",   "Cache-Control",   "Pragma",          "DNT",
      "Sec-Fetch-Site", "Range",        "Origin",          "If-None-Match",   "Authorization",
      "X-Trace",        "Content-Type", "Priority",
  };
  constexpr std::string_view kValueChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789 ;,=/.:()*-_+";
  Random random(1, "mixed requests");
  const auto text = [&random](std::string_view chars, std::size_t size) {
    std::string made;
    while (made.size() < size) made += chars[random.below(chars.size())];
    return made;
  };
  std::vector<std::string> requests;
  while (requests.size() < count) {
    const std::string_view letters = kValueChars.substr(0, 36);
    std::string request = random.below(4) == 0 ? "POST /" : "GET /";
    request += text(letters, random.below(60));
    if (random.below(3) == 0) request += "?" + text(letters, 1 + random.below(40));
    request += " HTTP/1.1\r\nHost: " + text(letters, 4 + random.below(20)) + "\r\n";
    for (const std::string_view name : kNames) {
      if (random.below(5) < 2) continue;
      const std::size_t size = random.below(4) == 0 ? 40 + random.below(120) : 1 + random.below(40);
      request += name;
      request += ": " + text(letters, 1) + text(kValueChars, size) + text(letters, 1) + "\r\n";
    }
    requests.push_back(request + "\r\n");
  }
  return requests;
}

}  // namespace pipette::bench
