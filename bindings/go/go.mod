module synfault.invalid/synfault

go 1.19
