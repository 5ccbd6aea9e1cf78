#include <iostream>

#include "pipette/app/fetch.h"

int main(int argc, char** argv) {
  const auto page = pipette::fetch(argc > 1 ? argv[1] : "http://127.0.0.1:8080/?name=Ada");
  std::cout << (page ? page->body : page.error().message()) << '\n';
  return page ? 0 : 1;
}
