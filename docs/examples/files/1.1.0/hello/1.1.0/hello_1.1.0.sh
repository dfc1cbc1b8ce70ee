#!/bin/sh
echo hello 1.1.0
