module github.com/fish-api-credit/fish-api-credit/examples/go/fishcredit

go 1.19
