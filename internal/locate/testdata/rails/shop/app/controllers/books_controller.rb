class BooksController < ActionController::Base
  def show; end
end
