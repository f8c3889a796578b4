module json

go 1.22
