# Tested: parsed by nix-instantiate 2.8. Not tested: a build.
# SPDX-License-Identifier: MIT
# nix-build packaging/nix, at the top of the sources.
{ pkgs ? import <nixpkgs> { } }:

let
  lines = pkgs.lib.splitString "\n" (builtins.readFile ../../Makefile);
  assignment = pkgs.lib.findFirst (pkgs.lib.hasPrefix "VERSION = ") "" lines;
  # The handler is static, as its start-up time is its speed.
  static = pkgs.pkgsStatic.stdenv.cc;
in
pkgs.stdenv.mkDerivation {
  pname = "tincan";
  version = pkgs.lib.removePrefix "VERSION = " assignment;
  src = pkgs.lib.cleanSourceWith {
    src = ../..;
    filter = path: type: baseNameOf path != "build" && pkgs.lib.cleanSourceFilter path type;
  };

  nativeBuildInputs = [ pkgs.pkg-config ];
  buildInputs = [ pkgs.libedit pkgs.systemd ];

  makeFlags = [
    "prefix=${placeholder "out"}"
    "LIBEDIT=yes"
    "LIBSYSTEMD=yes"
    "HANDLER_CC=${static}/bin/${static.targetPrefix}cc"
  ];

  meta = {
    description = "Echo service, one process per connection or one for all, and its client";
    license = pkgs.lib.licenses.mit;
    platforms = pkgs.lib.platforms.linux;
  };
}
