class CommentsController < ActionController::Base
  def create; end
  def destroy; end
  def index; end
  def show; end
  def update; end
end
