#include "pipette/app/serve.h"

#include "hello.h"

int main(int argc, char** argv) { pipette::listen_and_serve(hello, argc > 1 ? argv[1] : "127.0.0.1:8080"); }
